extension Configuration {
    /// As words, for a record of it.
    public var words: [UInt64] {
        var words: [UInt64] = []
        save(into: &words)
        return words
    }

    /// What `words` wrote.
    public init(words: [UInt64]) throws(StateProblem) {
        var reader = StateReader(words)
        try self.init(restoring: &reader)
        guard reader.position == words.count else { throw reader.problem("goes on beyond its end") }
    }
}

extension Configuration {
    func save(into words: inout [UInt64]) {
        words.put(capacityPerSecond)
        words.put(launchReservePerSecond)
        words.put(launchBurst)
        words.put(floorDelay)
        words.put(hold)
        words.put(launchAging)
        words.put(guestWaitMax)
        words.put(guestWaitReserved)
        words.put(launchBucketVM.perSecond)
        words.put(launchBucketVM.burst)
        words.put(launchBucketAccount.perSecond)
        words.put(launchBucketAccount.burst)
        words.put(launchWallClockMax)
        words.put(floorShare.perMille)
        words.put(chunkPages)
        words.put(launchOrder)
        words.put(optional: accountReservationMax) { $0.put($1) }
        words.put(launchPagesMax)
        planningCosts.save(into: &words)
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        capacityPerSecond = try state.duration()
        launchReservePerSecond = try state.duration()
        launchBurst = try state.duration()
        floorDelay = try state.duration()
        hold = try state.duration()
        launchAging = try state.duration()
        guestWaitMax = try state.duration()
        guestWaitReserved = try state.duration()
        launchBucketVM = LaunchBucket(perSecond: try state.duration(), burst: try state.duration())
        launchBucketAccount = LaunchBucket(perSecond: try state.duration(), burst: try state.duration())
        launchWallClockMax = try state.duration()
        floorShare = Share(perMille: try state.integer(in: 1...1_000, "the floor's share in thousandths"))
        chunkPages = UInt32(try state.integer(in: 1...Int64(UInt32.max), "the pages of a turn"))
        launchOrder = try state.choice(LaunchOrder.self)
        accountReservationMax = try state.optional { (state) throws(StateProblem) in try state.rate() }
        launchPagesMax = UInt32(try state.integer(in: 1...Int64(UInt32.max), "the pages of a launch"))
        planningCosts = try PlanningCosts(restoring: &state)
        // The longest launch takes a day at most: sums of all stay inside 64 bits.
        guard Int64(launchPagesMax) <= Nanoseconds.seconds(86_400).count / planningCosts.launchPage.count else {
            throw state.problem("permits launches of more than a day")
        }
    }
}

extension PlanningCosts {
    fileprivate func save(into words: inout [UInt64]) {
        words.put(report)
        words.put(derivedKey)
        words.put(launchPage)
        words.put(launchStart)
        words.put(launchFinish)
        words.put(platformStatus)
        words.put(platformCommand)
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        report = try Self.cost(&state)
        derivedKey = try Self.cost(&state)
        launchPage = try Self.cost(&state)
        launchStart = try Self.cost(&state)
        launchFinish = try Self.cost(&state)
        platformStatus = try Self.cost(&state)
        platformCommand = try Self.cost(&state)
    }

    /// Costs are divided by, and multiplied with pages.
    private static func cost(_ state: inout StateReader) throws(StateProblem) -> Nanoseconds {
        Nanoseconds(try state.integer(in: 1...Nanoseconds.seconds(60).count, "a planning cost"))
    }
}
