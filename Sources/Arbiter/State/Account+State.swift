extension Account {
    /// How many VMs it has, and what they reserve, follows from the VMs.
    func save(into words: inout [UInt64]) {
        launchDebt.save(into: &words)
        words.put(reservationsUsedUntil)
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        launchDebt = try LaunchDebt(restoring: &state)
        reservationsUsedUntil = try state.instant()
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
        guestTurns = try state.word()
        launchTurns = try state.word()
        platformTurns = try state.word()
        launches = try state.word()
        refusals = try state.word()
        overdueTurns = try state.word()
        floorTurns = try state.word()
        guestService = try state.duration()
        launchService = try state.duration()
        platformService = try state.duration()
        holdCost = try state.duration()
    }
}
