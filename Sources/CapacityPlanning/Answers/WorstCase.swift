import Arbiter
import SPModel

/// What the promises come to for a fleet, by their formulas.
///
/// The turns that go in are the longest there can be: the planning costs', or what the model's SP takes at the longest
/// if that is more. Of guests that never ask, one in a tight loop makes every command wait for a report; one with a
/// schedule takes as many reports as come in the meantime.
public struct WorstCase: Sendable {
    public struct Group: Sendable {
        public let name: String
        /// P1: from the first command of a launch that is first in line to its last. `nil` if nothing is launched.
        public let launch: Bound?
        /// The same and what of a boot the SP has no part in.
        public let boot: Bound?
        /// P6: the wait of a request inside the reservation, while launches stay within their reserve. `nil` without a
        /// reservation.
        public let reservedWait: Bound?
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
    public let turns: LargestTurns

    /// - Parameter admission: of this fleet.
    public init(_ fleet: Fleet, _ admission: FleetAdmission) {
        let reckoning = WorstCaseReckoning(fleet)
        turns = reckoning.turns
        let reservedWait = Bound(reckoning.reservedWait(fleet, admission))
        groups = zip(fleet.groups, admission.groups).map { plan, admitted in
            let isReserved = admitted.granted.contains { $0.reservation > .zero }
            // One that has been refused for long, or must not be refused, is queued for as long as the floor may need.
            let patience =
                plan.guest.kind.retryPolicy == .linux
                ? reckoning.bounds.patience(virtualMachines: fleet.virtualMachines, turns: 1)
                : reckoning.bounds.protectedWait(virtualMachines: fleet.virtualMachines)
            let shared = max(plan.guestWaitMax ?? fleet.configuration.arbiter.guestWaitMax, patience)
            let launch = plan.launches.areExpected ? Bound(reckoning.launch(plan.launches)) : nil
            return Group(
                name: plan.name, launch: launch, boot: launch.map { $0.plus(BootModel.outsideTheSP) },
                reservedWait: isReserved ? reservedWait : nil,
                frozen: (isReserved ? reservedWait.atLeast(shared) : .within(shared)).plus(reckoning.turns.guest))
        }
        storm = reckoning.storm(fleet)
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
