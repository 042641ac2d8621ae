extension Account {
    /// How many VMs it has, and what they reserve, follows from the VMs.
    func save(into words: inout [UInt64]) {
        launchDebt.save(into: &words)
        words.put(reservationsUsedUntil)
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        try state.checkLevel(atMost: LaunchDebt.most)
        launchDebt = try LaunchDebt(restoring: &state)
        reservationsUsedUntil = try state.moment()
    }
}

extension Totals {
    func save(into words: inout [UInt64]) {
        words.append(guestTurns)
        words.append(launchTurns)
        words.append(platformTurns)
        words.append(launches)
        words.append(refusals)
        words.append(overdueTurns)
        words.append(floorTurns)
        words.put(guestService)
        words.put(launchService)
        words.put(platformService)
        words.put(holdCost)
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        guestTurns = try state.counter()
        launchTurns = try state.counter()
        platformTurns = try state.counter()
        launches = try state.counter()
        refusals = try state.counter()
        overdueTurns = try state.counter()
        floorTurns = try state.counter()
        guestService = try state.service()
        launchService = try state.service()
        platformService = try state.service()
        holdCost = try state.service()
    }
}

extension LaunchDebt {
    /// A bucket that drains as slowly as may be set has drained it within the range of time.
    static let most = Nanoseconds.seconds(100 * 86_400)
}

extension LaunchOverload {
    /// It is kept to twice the burst, which is a minute at most; the reserve, by which it drains, may be hardly any.
    static let most = Nanoseconds.seconds(3_600)
}
