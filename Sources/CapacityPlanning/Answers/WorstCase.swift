import Arbiter
import SPModel

/// What the promises come to for a fleet, by their formulas.
///
/// The turns that go in are the longest there can be: the planning costs', or what the model's SP takes at the longest
/// if that is more. What admission keeps within its limits is the same with the planning costs alone. Of guests that
/// never ask, one in a tight loop makes every command wait for a report; one with a schedule takes as many reports as
/// come in the meantime.
public struct WorstCase: Sendable {
    public struct Group: Sendable {
        public let name: String
        /// P1: from the first command of a launch that is first in line to its last. `nil` if nothing is launched.
        public let launch: Bound?
        /// The same and what of a boot the SP has no part in.
        public let boot: Bound?
        /// With the longest turns, and as admission reckons.
        public let longest: Waits
        public let planned: Waits
    }

    public struct Waits: Equatable, Sendable {
        /// P6: of a request inside the reservation, while launches stay within their reserve. `nil` without a
        /// reservation.
        public let reserved: Bound?
        /// P7: how long one attempt may freeze its guest.
        public let frozen: Bound
    }

    /// P2: every VM of every group that is launched, all at once, as after a restart of the host.
    public struct Storm: Sendable {
        public let launches: Int64
        public let mean: Bound
        public let last: Bound
    }

    public enum Bound: Equatable, Sendable {
        case within(Nanoseconds)
        /// The formula has no solution, or one of more than a day.
        case none
    }

    public let groups: [Group]
    /// `nil` if nothing is launched.
    public let storm: Storm?
    /// With what guests that never ask add.
    public let turns: LargestTurns
    public let plannedTurns: LargestTurns

    /// - Parameter admission: of this fleet.
    public init(_ fleet: Fleet, _ admission: FleetAdmission) {
        let reckoning = WorstCaseReckoning(fleet)
        let planning = PromiseBounds(fleet.configuration.arbiter)
        (turns, plannedTurns) = (reckoning.turns, planning.turns)
        let reserving = ReservingVMs(fleet, admission)
        let longest = Bound(reckoning.reservedWait(fleet, reserving))
        let planned = Bound(planning.reservedWait(bursts: reserving.bursts, unreserved: reserving.others))
        groups = zip(fleet.groups, admission.groups).map { plan, admitted in
            let isReserved = admitted.granted.contains { $0.reservation > .zero }
            let launch = plan.launches.areExpected ? Bound(reckoning.launch(plan.launches)) : nil
            return Group(
                name: plan.name, launch: launch, boot: launch.map { $0.plus(BootModel.outsideTheSP) },
                longest: Waits(fleet, plan, reserved: isReserved ? longest : nil, reckoning.bounds),
                planned: Waits(fleet, plan, reserved: isReserved ? planned : nil, planning))
        }
        storm = reckoning.storm(fleet)
    }
}

extension WorstCase.Waits {
    fileprivate init(_ fleet: Fleet, _ plan: FleetGroup, reserved: WorstCase.Bound?, _ bounds: PromiseBounds) {
        // One that has been refused for long, or must not be refused, is queued for as long as the floor may need.
        let patience =
            plan.guest.kind.retryPolicy == .linux
            ? bounds.patience(virtualMachines: fleet.virtualMachines, turns: 1)
            : bounds.protectedWait(virtualMachines: fleet.virtualMachines)
        let shared = max(plan.guestWaitMax ?? fleet.configuration.arbiter.guestWaitMax, patience)
        self.reserved = reserved
        frozen = (reserved?.atLeast(shared) ?? .within(shared)).plus(bounds.turns.guest)
    }
}

/// Those whose requests may come before one that is inside its reservation.
struct ReservingVMs {
    /// Of all with a reservation.
    private(set) var bursts: Int64 = 0
    private(set) var others: Int64 = 0
    /// What is reserved, by rate.
    private(set) var reservations: [(rate: Rate, count: Int64)] = []

    init(_ fleet: Fleet, _ admission: FleetAdmission) {
        for (plan, group) in zip(fleet.groups, admission.groups) {
            for (reservation, count) in group.granted {
                guard reservation > .zero else {
                    others += count
                    continue
                }
                bursts += plan.burst * count
                reservations.append((reservation, count))
            }
        }
    }
}

extension WorstCase.Bound {
    init(_ bound: Nanoseconds?) { self = bound.map { .within($0) } ?? .none }

    fileprivate func plus(_ time: Nanoseconds) -> Self {
        switch self {
        case .within(let bound): .within(bound + time)
        case .none: .none
        }
    }

    fileprivate func atLeast(_ time: Nanoseconds) -> Self {
        switch self {
        case .within(let bound): .within(max(bound, time))
        case .none: .none
        }
    }
}
