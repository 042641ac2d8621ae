import Arbiter

/// P1, P3, P6 and P7, each by its formula, with the largest occupancies that occurred.
extension Checker {
    // MARK: P3

    /// The level of the floor's account: what guests got less their share, and what platform work may take from it.
    mutating func floorPasses(_ elapsed: Nanoseconds) throws(Violation) {
        let isServing = turns.contains { $0.kind.commandClass == .guest }
        let isWaiting = open.contains { $0.commandClass == .guest && isUnlimited($0) }
        guard isHonest, isServing || isWaiting, deviceMayBeUsed, !isDraining else {
            floorWindow.close()
            return
        }
        let share = configuration.floorShare.perMille
        let platform = (1_000 + share) * largest.platform.count
        let before = floorWindow.level + floorWindow.platformEnded * platform
        floorWindow.open(at: before)
        floorWindow.level += (isServing ? elapsed.count * 1_000 : 0) - elapsed.count * share
        let after = floorWindow.level + floorWindow.platformStarted * platform
        let allowed =
            share * configuration.floorDelay.count + 1_000 * largest.guest.count + share * largest.launch.count
        let lacking = floorWindow.peak - after
        worst.note(.floor, lacking, of: allowed)
        if lacking > allowed {
            throw broken(.floor, "guests got \((lacking - allowed) / 1_000) ns less than the floor promises")
        }
    }

    private func isUnlimited(_ request: OpenRequest) -> Bool {
        request.tenant.map { tenants[$0].registration.limit == nil } ?? false
    }

    // MARK: P1

    mutating func promisedLaunchBound(_ session: SessionView) throws(Violation) {
        guard isHonest, session.isFirstInLine, !session.isIrregular, !session.isOverDeclared, !session.wasOverdue,
            let first = session.firstCommand, let last = session.lastTurnEnded
        else { return }
        let took = last - first
        let seconds = (took.count + 999_999_999) / 1_000_000_000
        let inGap = max(largest.guest, largest.platform, largest.launch)
        let base =
            session.service + session.idleSum + session.residual + inGap * session.gapsNotHeld
            + largest.platform * seconds
        let unfloored = 1_000 - configuration.floorShare.perMille
        let withFloor = Nanoseconds((base + session.floorAtStart + largest.guest).count * 1_000 / unfloored + 1)
        let bound = max(base, withFloor)
        worst.note(.launchBound, took.count, of: bound.count)
        if took > bound {
            throw broken(
                .launchBound,
                "a launch took \(took.count) ns, bound \(bound.count): B \(session.service.count), "
                    + "Z \(session.idleSum.count), s_r \(session.residual.count), m \(session.gapsNotHeld)")
        }
    }

    // MARK: P6

    mutating func promisedReservation(_ request: OpenRequest, endedBy reason: BusyReason?) throws(Violation) {
        guard isHonest, request.isInsideReservation, !launchWorkWasExceeded, let tenant = request.tenant else { return }
        let wait = clock - request.arrivedAt
        let bound = reservedWaitBound(platformCommands: floorWindow.platformStarted - request.platformBefore)
        worst.note(.reservation, wait.count, of: bound.count)
        if wait > bound {
            throw broken(
                .reservation, "VM \(tenant) waited \(wait.count) ns inside its reservation, bound \(bound.count)")
        }
        // The Arbiter's own time-out does not know of platform commands to come.
        if let reason, floorWindow.platformStarted == request.platformBefore {
            throw broken(.reservation, "VM \(tenant) was refused inside its reservation: \(reason)")
        }
    }

    /// (β_L + max(s_l, s_g, s_o) + Σ b·s_g + N₀·s_g + s_o per platform command) / R
    private func reservedWaitBound(platformCommands: Int64) -> Nanoseconds {
        var guests: Int64 = 0
        for tenant in tenants where tenant.vm != nil {
            guests += tenant.reservation > .zero ? tenant.registration.burst : 1
        }
        let work =
            configuration.launchBurst + max(largest.launch, largest.guest, largest.platform) + largest.guest * guests
            + largest.platform * platformCommands
        let left = configuration.capacityPerSecond - configuration.launchReservePerSecond
        return Nanoseconds(work.count * 1_000 / (left.count / 1_000_000))
    }

    // MARK: P7

    mutating func promisedPatience(_ request: OpenRequest) throws(Violation) {
        guard isHonest, request.commandClass == .guest else { return }
        let frozen = clock - request.arrivedAt
        worst.note(.patience, frozen.count, of: Limits.frozenMax.count)
        if frozen > Limits.frozenMax { throw broken(.patience, "a guest waited frozen for \(frozen.count) ns") }
    }

    /// A guest's driver gave up: it will never attest again.
    mutating func keyWasLost(tenant: Int) throws(Violation) {
        guard isHonest else { return }
        throw broken(.patience, "the guest of VM \(tenant) lost its key (\(tenants[tenant].registration.retryPolicy))")
    }
}

/// The window of P3 that is open: what guests got less φ of the time, in thousandths of a nanosecond.
struct FloorWindow {
    var level: Int64 = 0
    var platformStarted: Int64 = 0
    var platformEnded: Int64 = 0
    /// The highest level at which a window may have begun; the lowest after it is what the promise bounds.
    private(set) var peak = Int64.min
    /// Guest turns granted while a session held the SP: each has to be the floor's.
    var grantsInHolds: UInt64 = 0

    mutating func open(at level: Int64) { peak = max(peak, level) }
    mutating func close() { peak = Int64.min }
}

/// For each promise the worst ratio of what was observed to its bound.
public struct PromiseRatios: Sendable, Equatable {
    /// In thousandths, by rule; with the number of observations.
    public private(set) var perMille: [Rule: Int64] = [:]
    public private(set) var observations: [Rule: Int] = [:]

    public init() {}

    mutating func note(_ rule: Rule, _ observed: Int64, of bound: Int64) {
        observations[rule, default: 0] += 1
        let ratio = observed > Int64.max / 1_000 ? Int64.max : observed * 1_000 / max(bound, 1)
        if ratio > perMille[rule, default: 0] { perMille[rule] = ratio }
    }
}
