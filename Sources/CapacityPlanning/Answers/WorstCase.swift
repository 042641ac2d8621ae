import Arbiter
import SPModel

/// What the promises come to for a fleet, by their formulas.
///
/// The turns that go in are the longest there can be: the planning costs', or what the model's SP takes at the longest
/// if that is more; and every command may wait for one report of each guest that never asks.
public struct WorstCase: Sendable {
    public struct Group: Sendable {
        public let name: String
        /// P1: from the first command of a launch that is first in line to its last. `nil` if the group is not
        /// launched.
        public let launch: Bound?
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
        let reckoning = Reckoning(fleet)
        turns = reckoning.turns
        let reservedWait = reckoning.reservedWait(fleet, admission)
        let isImpatient = fleet.groups.contains { $0.guest.kind.retryPolicy != .linux }
        let patience = reckoning.bounds.patience(virtualMachines: fleet.virtualMachines, turns: isImpatient ? 2 : 1)
        groups = zip(fleet.groups, admission.groups).map { plan, admitted in
            let isReserved = admitted.granted.contains { $0.reservation > .zero }
            let shared = plan.guestWaitMax ?? fleet.configuration.arbiter.guestWaitMax
            let ordinary = isReserved ? reservedWait.atLeast(shared) : .within(shared)
            return Group(
                name: plan.name, launch: plan.launches.areExpected ? reckoning.launch(plan.launches) : nil,
                reservedWait: isReserved ? reservedWait : nil,
                frozen: plan.guest.kind.retryPolicy == .linux ? ordinary : ordinary.atLeast(patience))
        }
        storm = reckoning.storm(fleet)
    }
}

extension WorstCase.Bound {
    init(_ bound: Nanoseconds?) { self = bound.map { .within($0) } ?? .none }

    fileprivate func atLeast(_ time: Nanoseconds) -> Self {
        switch self {
        case .within(let bound): .within(max(bound, time))
        case .none: .none
        }
    }
}

/// The longest turns of a fleet, and what its launches need at the most.
private struct Reckoning {
    let bounds: PromiseBounds
    private let rules: Configuration
    private let profile: Profile
    /// k·s_g: what one command may wait for guests that never ask.
    private let unjoined: Nanoseconds

    var turns: LargestTurns { bounds.turns }

    init(_ fleet: Fleet) {
        let rules = fleet.configuration.arbiter
        let profile = fleet.sp.profile
        let planned = LargestTurns(planning: rules)
        let report = max(planned.guest, Self.longest(profile, .report))
        let unjoined = report * fleet.unjoinedGuests
        let update = Self.longest(profile, .launchUpdate, units: rules.chunkPages)
        let virtualCPUs = fleet.groups.map(\.launches.virtualCPUs).max() ?? 1
        let finish = Self.longest(profile, .launchFinish, units: UInt32(virtualCPUs))
        // Between two pieces of a region its VMM keeps the turn while it does its own work.
        let launch = max(planned.launch, update, finish) + profile.gaps.longestBetweenIoctls
        let commands = max(Int64(rules.chunkPages), virtualCPUs + 1)
        bounds = PromiseBounds(
            rules,
            turns: LargestTurns(
                guest: report + unjoined, launch: launch + unjoined * commands, platform: planned.platform + unjoined))
        (self.rules, self.profile, self.unjoined) = (rules, profile, unjoined)
    }

    private static func longest(_ profile: Profile, _ kind: CommandKind, units: UInt32 = 1) -> Nanoseconds {
        CommandSequence(kind: kind, units: units).map(profile.longest) ?? .zero
    }

    // MARK: P1 and P2

    func launch(_ launches: LaunchBehaviour) -> WorstCase.Bound { WorstCase.Bound(bounds.launch(demand(launches))) }

    private func demand(_ launches: LaunchBehaviour) -> LaunchDemand {
        let isWhole = launches.turns == .whole
        let ioctls = launches.profile.profile.ioctls(
            virtualCPUs: UInt32(launches.virtualCPUs), chunkPages: isWhole ? nil : rules.chunkPages)
        let gap = profile.gaps.longestBetweenIoctls
        let gaps = Int64(ioctls.count - 1)
        let commands = ioctls.reduce(0) { $0 + Int64($1.count) }
        let work = ioctls.reduce(unjoined * commands) { $0 + max(profile.longest($1), planned($1)) }
        return LaunchDemand(
            work: work, think: gap * gaps, gapsNotHeld: isWhole ? 0 : gapsNotHeld(gaps, of: gap, work: work))
    }

    private func planned(_ ioctl: CommandSequence) -> Nanoseconds {
        let costs = rules.planningCosts
        return switch ioctl.kind {
        case .launchStart: costs.launchStart
        case .launchFinish: costs.launchFinish + costs.launchPage * Int64(ioctl.units)
        default: costs.launchPage * Int64(ioctl.units)
        }
    }

    /// The hold rises at once to twice the longest gap, and falls only when a hundred are known: one in a hundred may
    /// surprise it. Holds may cost a session a quarter of its work; what is beyond is not held.
    private func gapsNotHeld(_ gaps: Int64, of gap: Nanoseconds, work: Nanoseconds) -> Int64 {
        let affordable = max(Limits.holdCostMin, work / Limits.holdCostDivisor)
        guard gap <= Limits.holdMax, gap * gaps <= affordable else { return gaps }
        return min(gaps, 1 + gaps / Int64(Limits.gapsRemembered))
    }

    func storm(_ fleet: Fleet) -> WorstCase.Storm? {
        let launched = fleet.groups.filter(\.launches.areExpected)
        guard let first = launched.first else { return nil }
        let count = launched.reduce(0) { $0 + $1.count }
        let alone = bounds.launch(
            launched.dropFirst().reduce(demand(first.launches)) { $0.longer(demand($1.launches)) })
        let last = sum(launched).flatMap { bounds.launch($0) }
        let mean = last.flatMap { last in alone.map { ($0 + last) / 2 } }
        return WorstCase.Storm(launches: count, mean: WorstCase.Bound(mean), last: WorstCase.Bound(last))
    }

    /// `nil` where the work alone is more than a day.
    private func sum(_ groups: [FleetGroup]) -> LaunchDemand? {
        let work = groups.reduce(Int128(0)) { $0 + Int128(demand($1.launches).work.count) * Int128($1.count) }
        guard work <= Int128(FleetLimits.boundMax.count) else { return nil }
        return groups.reduce(LaunchDemand(work: .zero, think: .zero, gapsNotHeld: 0)) {
            $0 + demand($1.launches) * $1.count
        }
    }

    // MARK: P6

    /// Nothing is promised where guests that never ask leave less than what is reserved.
    func reservedWait(_ fleet: Fleet, _ admission: FleetAdmission) -> WorstCase.Bound {
        var (bursts, unreserved, load) = (Int64(0), Int64(0), Nanoseconds.zero)
        for (plan, group) in zip(fleet.groups, admission.groups) {
            for (reservation, count) in group.granted {
                guard reservation > .zero else {
                    unreserved += count
                    continue
                }
                bursts += plan.burst * count
                load += reservation.load(each: planned(unjoined)) * count
            }
        }
        guard unjoined == .zero || load <= bounds.reservable else { return .none }
        return .within(bounds.reservedWait(bursts: bursts, unreserved: unreserved))
    }

    private func planned(_ unjoined: Nanoseconds) -> Nanoseconds { rules.planningCosts.report + unjoined }
}

extension LaunchDemand {
    fileprivate func longer(_ other: LaunchDemand) -> LaunchDemand {
        LaunchDemand(
            work: max(work, other.work), think: max(think, other.think),
            gapsNotHeld: max(gapsNotHeld, other.gapsNotHeld))
    }
}
