/// Another configuration for the VMs that there are: it takes nothing from them that they were promised.
extension Arbiter {
    /// Goes on under another configuration, if every reservation can be kept under it as well as before.
    ///
    /// What a VM registered with stays as it is, and open launch sessions keep their place in the order. All else holds
    /// from now on.
    ///
    /// - Throws: every promise that `other` would lessen; nothing has then changed but that time has passed.
    public mutating func reconfigure(
        _ other: Configuration, now: Instant, into decisions: inout [Decision]
    ) throws(ReconfigurationRefusal) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        let objections = objections(to: other)
        guard objections.isEmpty else { throw ReconfigurationRefusal(objections: objections) }
        adopt(other)
    }

    /// What speaks against another configuration, with the VMs that there are.
    public func objections(to other: Configuration) -> [ReconfigurationObjection] { ledger.objections(to: other) }

    private mutating func adopt(_ other: Configuration) {
        settleDebts()
        configuration = other
        ledger.adopt(other)
        overload = overload.adopting(
            reservePerSecond: other.launchReservePerSecond, burst: other.launchBurst, at: clock)
        floor = floor.adopting(
            share: other.floorShare, delay: other.floorDelay, largestGuestTurn: ledger.guestTurn,
            largestLaunchTurn: ledger.launchTurn)
        fairShare.adopt(guestTurn: ledger.guestTurn)
        costs.adopt(other.planningCosts)
        // A turn of other size may be divisible now that was not.
        for slot in virtualMachines.indices where virtualMachines[slot].session != nil { reorder(slot) }
    }

    /// What is owed drains at the old rate up to now.
    private mutating func settleDebts() {
        for slot in virtualMachines.indices where virtualMachines[slot].isRegistered {
            virtualMachines[slot].launchDebt.add(.zero, at: clock, configuration.launchBucketVM)
        }
        for slot in accounts.indices {
            accounts[slot]?.launchDebt.add(.zero, at: clock, configuration.launchBucketAccount)
        }
    }
}

/// Why another configuration is refused as a whole.
public struct ReconfigurationRefusal: Error, Equatable, Sendable {
    public let objections: [ReconfigurationObjection]

    public init(objections: [ReconfigurationObjection]) { self.objections = objections }
}

/// One promise to VMs that are registered which another configuration would lessen.
public enum ReconfigurationObjection: Equatable, Sendable {
    /// Reservations and minimum rates take `needed` SP time a second, and `available` would be left for them.
    case capacity(needed: Nanoseconds, available: Nanoseconds)
    /// The wait inside reservations would be longer than `limit`, the longest that may be promised.
    case reservedWait(would: Nanoseconds, limit: Nanoseconds)
    /// Those with a reservation were promised this wait, and newcomers could make it longer.
    case promisedWait(was: Nanoseconds, would: Nanoseconds)
    /// Less launch work in each second than before would suspend reservations.
    case launchReserve(was: Nanoseconds, would: Nanoseconds)
    /// Less launch work at once than before would suspend reservations.
    case launchBurst(was: Nanoseconds, would: Nanoseconds)
    /// The floor alone could not serve every VM within the patience of a guest.
    case patience(would: Nanoseconds, limit: Nanoseconds)
}

extension AdmissionLedger {
    /// A bound that was broken before, and becomes no worse, is no objection.
    func objections(to other: Configuration) -> [ReconfigurationObjection] {
        guard virtualMachines > 0 else { return [] }
        var next = self
        next.adopt(other)
        return next.shortage(since: self) + next.laterReservations(since: self) + next.impatience(since: self)
    }

    private func shortage(since before: Self) -> [ReconfigurationObjection] {
        let (lacks, lacked) = (needed - reservable, before.needed - before.reservable)
        guard lacks > .zero, lacks > lacked else { return [] }
        return [.capacity(needed: needed, available: reservable)]
    }

    private func laterReservations(since before: Self) -> [ReconfigurationObjection] {
        guard bursts > 0 else { return [] }
        var objections: [ReconfigurationObjection] = []
        let (limit, promised) = (configuration.guestWaitReserved, before.configuration.guestWaitReserved)
        if limit > promised { objections.append(.promisedWait(was: promised, would: limit)) }
        if reservedWait > min(limit, promised), reservedWait > before.reservedWait {
            objections.append(.reservedWait(would: reservedWait, limit: min(limit, promised)))
        }
        let (reserve, burst) = (configuration.launchReservePerSecond, configuration.launchBurst)
        let was = before.configuration
        if reserve < was.launchReservePerSecond {
            objections.append(.launchReserve(was: was.launchReservePerSecond, would: reserve))
        }
        if burst < was.launchBurst { objections.append(.launchBurst(was: was.launchBurst, would: burst)) }
        return objections
    }

    private func impatience(since before: Self) -> [ReconfigurationObjection] {
        let (would, was) = (patience, before.patience)
        guard would > Limits.frozenMax, would > was else { return [] }
        return [.patience(would: would, limit: Limits.frozenMax)]
    }

    /// What reservations and minimum rates take together, as `fits` reckons.
    private var needed: Nanoseconds { reserved.load(each: guestTurn) + beyondHeadroom(minimum) }

    /// P7, with two turns where a VM must not be refused.
    private var patience: Nanoseconds {
        bounds.patience(virtualMachines: virtualMachines, turns: impatient > 0 ? 2 : 1)
    }
}
