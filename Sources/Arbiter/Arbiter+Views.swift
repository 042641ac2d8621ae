/// What the Arbiter says of itself to an operator. The slow path: it may allocate.
public struct Overview: Equatable, Sendable {
    public var virtualMachines: Int
    public var device: DeviceState
    public var isDraining: Bool
    public var reservationsAreSuspended: Bool
    /// Promised rates together, and the largest that still fits.
    public var reserved: Rate
    public var rateLeft: Rate
    public var reservedWait: Nanoseconds
    public var turn: TurnView?
    public var turnBeside: TurnView?
    /// Whether the SP is being kept for a launch's next command.
    public var isHolding: Bool
    public var sessionsOpen: Int
    public var launchesWaiting: Int
    public var guestsWaiting: Int
    public var platformWaiting: Int
    public var floorBalance: Nanoseconds
    public var predictedReport: Nanoseconds
    public var predictedLaunchPage: Nanoseconds
    public var totals: Totals
}

public struct TurnView: Equatable, Sendable {
    public var turn: TurnID
    public var vm: VMID
    public var kind: CommandKind
    public var units: UInt32
    public var heldFor: Nanoseconds
    public var lease: Nanoseconds
    public var isOverdue: Bool
}

public struct VMReport: Equatable, Sendable {
    public enum Activity: UInt8, Sendable, CaseIterable {
        case idle
        case waiting
        case inService
        /// Refused and expected back.
        case refused
    }

    public var vm: VMID
    public var account: AccountID
    public var reservation: Rate
    public var limit: Rate?
    public var weight: Weight
    public var burst: Int64
    public var retryPolicy: RetryPolicy
    public var guest: Activity
    public var launchIsOpen: Bool
    public var counters: VMCounters
    /// What it is entitled to while launches use their reserve, and while none runs.
    public var entitlement: Rate
    public var entitlementWithoutLaunches: Rate
}

extension Arbiter {
    /// Whether launches have used more than their reserve allows, so that reservations are suspended.
    public func reservationsAreSuspended(at now: Instant) -> Bool { overload.isOverloaded(at: max(now, clock)) }

    public func overview(now: Instant) -> Overview {
        Overview(
            virtualMachines: Int(ledger.virtualMachines), device: device.state, isDraining: isDraining,
            reservationsAreSuspended: reservationsAreSuspended(at: now), reserved: ledger.reserved,
            rateLeft: ledger.rateLeft,
            reservedWait: ledger.reservedWait, turn: turn.map { view($0, now) },
            turnBeside: turnBeside.map { view($0, now) }, isHolding: heldFor != nil, sessionsOpen: sessions.count,
            launchesWaiting: ready.count + readyLong.count, guestsWaiting: aged.count + reserved.count + shared.count,
            platformWaiting: platform.count, floorBalance: floor.balance, predictedReport: costs.report,
            predictedLaunchPage: costs.launchPage, totals: totals)
    }

    /// Two figures of the overview that cost nothing: for those who ask after each step.
    public var totalsSoFar: Totals { totals }
    public var floorBalance: Nanoseconds { floor.balance }

    private func view(_ turn: Turn, _ now: Instant) -> TurnView {
        TurnView(
            turn: turn.id, vm: turn.vm, kind: turn.kind, units: turn.units, heldFor: now - turn.grantedAt,
            lease: turn.lease, isOverdue: turn.overdueSince != nil)
    }

    /// One VM; `nil` when it is not registered. Divides the capacity anew: for all VMs use `reports()`.
    public func report(of vm: VMID) -> VMReport? { reports().first { $0.vm == vm } }

    /// Whether VMs can be registered with this account.
    public func isOpen(_ account: AccountID) -> Bool {
        Int(account.slot) < accounts.count && accounts[Int(account.slot)] != nil
    }

    /// Whether a turn was granted to this connection and is not over.
    public func holdsTurn(origin: UInt64) -> Bool { turn?.origin == origin || turnBeside?.origin == origin }

    /// What one VM is entitled to while launches use their reserve; `nil` when it is not registered. O(n log n).
    public func entitlement(of vm: VMID) -> Rate? {
        guard let slot = existingSlot(of: vm) else { return nil }
        var claims: [Claim] = []
        claims.reserveCapacity(Int(ledger.virtualMachines))
        var own = 0
        for other in virtualMachines.indices where virtualMachines[other].isRegistered {
            if other == slot { own = claims.count }
            claims.append(claim(virtualMachines[other]))
        }
        return rate(of: entitlements(of: claims, pool: ledger.reservable)[own])
    }

    /// Every registered VM, in the order of its slot.
    public func reports() -> [VMReport] {
        let slots = virtualMachines.indices.filter { virtualMachines[$0].isRegistered }
        let claims = slots.map { claim(virtualMachines[$0]) }
        let withLaunches = entitlements(of: claims, pool: ledger.reservable)
        let without = entitlements(of: claims, pool: configuration.capacityPerSecond)
        return slots.indices.map { index in
            report(slots[index], rate(of: withLaunches[index]), rate(of: without[index]))
        }
    }

    private func claim(_ vm: VirtualMachine) -> Claim {
        Claim(
            reserved: vm.reservation.load(each: ledger.guestTurn), most: vm.limit?.load(each: ledger.guestTurn),
            weight: vm.weight)
    }

    private func rate(of service: Nanoseconds) -> Rate {
        Rate(millihertz: service.count * 1_000 / ledger.guestTurn.count)
    }

    private func report(_ slot: Int, _ entitlement: Rate, _ withoutLaunches: Rate) -> VMReport {
        let vm = virtualMachines[slot]
        return VMReport(
            vm: id(ofSlot: slot), account: vm.account, reservation: vm.reservation, limit: vm.limit,
            weight: vm.weight, burst: vm.burst, retryPolicy: vm.retryPolicy, guest: vm.activity,
            launchIsOpen: vm.session != nil, counters: vm.counters, entitlement: entitlement,
            entitlementWithoutLaunches: withoutLaunches)
    }
}
