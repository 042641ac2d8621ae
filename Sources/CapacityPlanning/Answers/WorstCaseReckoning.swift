import Arbiter
import SPModel

/// The longest turns of a fleet, and what its launches need at the most.
struct WorstCaseReckoning {
    let bounds: PromiseBounds
    private let rules: Configuration
    private let profile: Profile
    /// What one command may wait for unjoined guests in tight loops.
    private let looping: Nanoseconds
    private let paced: PacedInterference

    var turns: LargestTurns { bounds.turns }

    init(_ fleet: Fleet) {
        let rules = fleet.configuration.arbiter
        let profile = fleet.sp.profile
        let planned = LargestTurns(planning: rules)
        let report = max(planned.guest, Self.longest(profile, .report))
        let looping = report * fleet.unjoined.reduce(0) { $0 + ($1.guest.requests == .loop ? $1.count : 0) }
        let update = Self.longest(profile, .launchUpdate, units: rules.chunkPages)
        let virtualCPUs = fleet.groups.map(\.launches.virtualCPUs).max() ?? 1
        let finish = Self.longest(profile, .launchFinish, units: UInt32(virtualCPUs))
        // Between two pieces of a region its VMM keeps the turn while it does its own work.
        let launch = max(planned.launch, update, finish) + profile.gaps.longestBetweenIoctls
        let commands = max(Int64(rules.chunkPages), virtualCPUs + 1)
        bounds = PromiseBounds(
            rules,
            turns: LargestTurns(
                guest: report + looping, launch: launch + looping * commands, platform: planned.platform + looping))
        (self.rules, self.profile, self.looping) = (rules, profile, looping)
        paced = PacedInterference(fleet.unjoined, report: report)
    }

    private static func longest(_ profile: Profile, _ kind: CommandKind, units: UInt32 = 1) -> Nanoseconds {
        CommandSequence(kind: kind, units: units).map(profile.longest) ?? .zero
    }

    // MARK: P1 and P2

    func launch(_ launches: LaunchBehaviour) -> Nanoseconds? { bound(demand(launches)) }

    private func bound(_ demand: LaunchDemand) -> Nanoseconds? {
        paced.fixedPoint { interference in
            bounds.launch(demand + LaunchDemand(work: interference, think: .zero, gapsNotHeld: 0))
        }
    }

    private func demand(_ launches: LaunchBehaviour) -> LaunchDemand {
        let isWhole = launches.turns == .whole
        let ioctls = launches.profile.profile.ioctls(
            virtualCPUs: UInt32(launches.virtualCPUs), chunkPages: isWhole ? nil : rules.chunkPages)
        let gap = profile.gaps.longestBetweenIoctls
        let gaps = Int64(ioctls.count - 1)
        let commands = ioctls.reduce(0) { $0 + Int64($1.count) }
        let work = ioctls.reduce(looping * commands) { $0 + max(profile.longest($1), planned($1)) }
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
        let alone = bound(launched.dropFirst().reduce(demand(first.launches)) { $0.longer(demand($1.launches)) })
        let last = sum(launched).flatMap(bound)
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
    func reservedWait(_ fleet: Fleet, _ reserving: ReservingVMs) -> Nanoseconds? {
        let report = rules.planningCosts.report + looping
        let load = reserving.reservations.reduce(paced.load) { $0 + $1.rate.load(each: report) * $1.count }
        guard fleet.unjoinedGuests == 0 || load <= bounds.reservable else { return nil }
        let wait = bounds.reservedWait(bursts: reserving.bursts, unreserved: reserving.others)
        return paced.fixedPoint { interference in
            wait + Nanoseconds(interference.count * 1_000 / max(bounds.reservable.count / 1_000_000, 1))
        }
    }
}

/// What unjoined guests with a schedule take of a stretch of time.
private struct PacedInterference {
    private let groups: [(requests: Int64, every: Nanoseconds)]
    private let report: Nanoseconds

    init(_ unjoined: [UnjoinedGroup], report: Nanoseconds) {
        self.report = report
        groups = unjoined.compactMap { group in
            guard case .every(let rate) = group.guest.requests else { return nil }
            return (group.count * group.guest.atOnce, rate.interval * group.guest.atOnce)
        }
    }

    /// SP time a second.
    var load: Nanoseconds {
        groups.reduce(.zero) {
            $0 + Nanoseconds(report.count * 1_000_000 / max($1.every.count / 1_000, 1)) * $1.requests
        }
    }

    /// One burst of each may wait already, and one comes at the beginning of each interval.
    private func within(_ time: Nanoseconds) -> Nanoseconds {
        groups.reduce(.zero) { sum, group in
            sum + report * (group.requests * (time.count / group.every.count + 2))
        }
    }

    /// The least time in which what is needed, with what these guests take meanwhile, is done.
    func fixedPoint(_ needed: (Nanoseconds) -> Nanoseconds?) -> Nanoseconds? {
        guard !groups.isEmpty else { return needed(.zero) }
        var time = Nanoseconds.zero
        // Each step that is not the last has another request in it.
        while time <= FleetLimits.boundMax {
            guard let longer = needed(within(time)) else { return nil }
            if longer <= time { return time }
            time = longer
        }
        return nil
    }
}

extension LaunchDemand {
    fileprivate func longer(_ other: LaunchDemand) -> LaunchDemand {
        LaunchDemand(
            work: max(work, other.work), think: max(think, other.think),
            gapsNotHeld: max(gapsNotHeld, other.gapsNotHeld))
    }
}
