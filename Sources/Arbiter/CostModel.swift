/// What a command is predicted to cost: planning costs at first, then a median of what VMs' turns took, one vote each.
///
/// Used for predicted starts, leases and the floor; never for admission. A vote counts within a quarter and four times
/// the planning cost, so that no client can talk the prediction away.
struct CostModel: Sendable {
    private(set) var planning: PlanningCosts
    private var reports: MedianVote
    private var launchPages: MedianVote

    init(planning: PlanningCosts, virtualMachines: Int) {
        self.planning = planning
        reports = MedianVote(planning: planning.report, voters: virtualMachines)
        launchPages = MedianVote(planning: planning.launchPage, voters: virtualMachines)
    }

    /// What was seen stays, as far as it is believed beside the other planning costs.
    mutating func adopt(_ planning: PlanningCosts) {
        self.planning = planning
        reports.adopt(planning.report)
        launchPages.adopt(planning.launchPage)
    }

    var report: Nanoseconds { reports.value }
    var launchPage: Nanoseconds { launchPages.value }

    func predicted(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        cost(kind, units: units, report: report, page: launchPage)
    }

    func planned(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        cost(kind, units: units, report: planning.report, page: planning.launchPage)
    }

    private func cost(_ kind: CommandKind, units: UInt32, report: Nanoseconds, page: Nanoseconds) -> Nanoseconds {
        switch kind {
        case .launchStart: planning.launchStart
        case .launchUpdate, .legacyLaunch: page * Int64(units)
        case .launchFinish: planning.launchFinish + page * Int64(units)
        case .wholeLaunch: planning.launchStart + planning.launchFinish + page * Int64(units)
        case .report, .otherGuestRequest: report
        case .derivedKey: planning.derivedKey
        case .platformStatus: planning.platformStatus
        case .platformCommand: planning.platformCommand
        }
    }

    /// What a launch turn takes where each of its commands waits, in the kernel's queue, for guests that never ask;
    /// zero without any. Nobody tells of them, but a report of a guest that asks waits for as many of theirs.
    func besideUnjoined(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        let reportsAhead = (report + planning.report / 2).count / planning.report.count - 1
        guard reportsAhead > 0 else { return .zero }
        return planned(kind, units: units) + planning.report * (reportsAhead * Self.commands(kind, units: units))
    }

    /// Of the firmware, in a launch turn; between any two another may come.
    private static func commands(_ kind: CommandKind, units: UInt32) -> Int64 {
        switch kind {
        case .launchStart: 3
        case .launchUpdate: Int64(units)
        case .launchFinish: Int64(units) + 1
        case .wholeLaunch: Int64(units) + 4
        default: 1
        }
    }

    /// The cost of a declared launch: its pages, its vCPUs, and what every launch has.
    func predicted(_ plan: LaunchPlan) -> Nanoseconds {
        planning.launchStart + planning.launchFinish + launchPage * (Int64(plan.pages) + Int64(plan.virtualCPUs))
    }

    mutating func observe(_ occupancy: Nanoseconds, _ kind: CommandKind, units: UInt32, by slot: Int) {
        guard units > 0 else { return }
        switch kind {
        case .report: reports.vote(occupancy, by: slot)
        case .launchUpdate: launchPages.vote(occupancy / Int64(units), by: slot)
        default: break
        }
    }

    mutating func forget(_ slot: Int) {
        reports.withdraw(slot)
        launchPages.withdraw(slot)
    }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        reports.save(into: &words)
        launchPages.save(into: &words)
    }

    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        try reports.restore(&state)
        try launchPages.restore(&state)
    }
}

/// A median over voters, each with one vote that follows what it observed.
private struct MedianVote: Sendable {
    private(set) var planning: Nanoseconds
    private var votes: RankedIndex
    /// What each voter's observations come to, smoothed; its vote follows when this has moved.
    private var observations: [Nanoseconds]
    private(set) var value: Nanoseconds

    init(planning: Nanoseconds, voters: Int) {
        self.planning = planning
        votes = RankedIndex(capacity: voters)
        observations = Array(repeating: .zero, count: voters)
        value = planning
    }

    private var believable: ClosedRange<Nanoseconds> {
        planning / Limits.costBeliefFactor...planning * Limits.costBeliefFactor
    }

    mutating func adopt(_ planning: Nanoseconds) {
        self.planning = planning
        for slot in observations.indices where votes.contains(slot) {
            observations[slot] = observations[slot].clamped(to: believable)
            let vote = Nanoseconds(votes.key(of: slot)).clamped(to: believable)
            votes.set(slot, key: vote.count, tie: Int64(slot), cost: .zero)
        }
        count()
    }

    mutating func vote(_ observed: Nanoseconds, by slot: Int) {
        let believed = observed.clamped(to: believable)
        guard votes.contains(slot) else {
            observations[slot] = believed
            return cast(believed, by: slot)
        }
        observations[slot] += (believed - observations[slot]) / 4
        let vote = Nanoseconds(votes.key(of: slot))
        // A vote that would hardly move stays where it is: the hot path then costs nothing here.
        let moved = (observations[slot] - vote).count.magnitude
        if moved > (vote / 32).count.magnitude { cast(observations[slot], by: slot) }
    }

    mutating func withdraw(_ slot: Int) {
        guard votes.contains(slot) else { return }
        votes.remove(slot)
        count()
    }

    private mutating func cast(_ vote: Nanoseconds, by slot: Int) {
        votes.set(slot, key: vote.count, tie: Int64(slot), cost: .zero)
        count()
    }

    private mutating func count() {
        let middle = votes.slot(atRank: votes.count / 2)
        value = middle.map { Nanoseconds(votes.key(of: $0)) } ?? planning
    }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        words.put(votes.count)
        for slot in observations.indices where votes.contains(slot) {
            words.put(slot)
            words.put(votes.key(of: slot))
            words.put(observations[slot])
        }
    }

    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        for _ in 0..<(try state.count(atMost: observations.count, "the votes on a cost")) {
            let slot = try state.slot(below: observations.count)
            let vote = try state.integer(in: 1...Nanoseconds.seconds(86_400).count, "a vote on a cost")
            votes.set(slot, key: vote, tie: Int64(slot), cost: .zero)
            observations[slot] = try state.duration()
        }
        count()
    }
}
