extension VirtualMachine {
    func save(into words: inout [UInt64]) {
        words.put(generation)
        words.put(account.slot)
        words.put(reservation)
        words.put(optional: limit) { $0.put($1) }
        words.put(weight.value)
        words.put(burst)
        words.put(retryPolicy)
        words.put(guestWaitMax)
        words.put(reservationBucket)
        words.put(limitBucket)
        words.put(tag)
        launchDebt.save(into: &words)
        words.put(phase)
        words.put(optional: guest) { $1.save(into: &$0) }
        words.put(optional: firstAttempt) { $0.put($1) }
        words.put(optional: refusedAt) { $0.put($1) }
        words.put(refusals)
        words.put(flags: isBacklogged, isWaitingForFloor, skipsLimit)
        words.put(lastSkip)
        counters.save(into: &words)
        words.put(optional: session) { $1.save(into: &$0) }
    }

    /// A registered VM.
    init(restoring state: inout StateReader) throws(StateProblem) {
        isRegistered = true
        generation = try state.unsigned32()
        account = AccountID(slot: UInt32(try state.slot(below: Limits.accounts)))
        reservation = try state.rate()
        limit = try state.optional { (state) throws(StateProblem) in
            Rate(millihertz: try state.integer(in: 1...Limits.mostRate.millihertz, "a limit"))
        }
        weight = Weight(
            try state.integer(in: Limits.weights.lowerBound.value...Limits.weights.upperBound.value, "a weight"))
        burst = try state.integer(in: Limits.bursts, "a burst")
        retryPolicy = try state.choice(RetryPolicy.self)
        guestWaitMax = try state.duration()
        reservationBucket = CellRate(chargedUntil: try state.moment())
        limitBucket = CellRate(chargedUntil: try state.moment())
        tag = try state.integer()
        try state.checkLevel(atMost: LaunchDebt.most)
        launchDebt = try LaunchDebt(restoring: &state)
        phase = try state.choice(GuestPhase.self)
        guest = try state.optional { (state) throws(StateProblem) in try GuestRequest(restoring: &state) }
        firstAttempt = try state.optional { (state) throws(StateProblem) in try state.moment() }
        refusedAt = try state.optional { (state) throws(StateProblem) in try state.moment() }
        refusals = try state.count(atMost: Int(Int32.max), "refusals")
        let flags = try state.flags(3)
        (isBacklogged, isWaitingForFloor, skipsLimit) = (flags[0], flags[1], flags[2])
        lastSkip = try state.moment()
        counters = try VMCounters(restoring: &state)
        session = try state.optional { (state) throws(StateProblem) in try LaunchSession(restoring: &state) }
    }
}

extension VMCounters {
    fileprivate func save(into words: inout [UInt64]) {
        words.append(guestTurns)
        words.append(launchTurns)
        words.append(launches)
        words.append(refusals)
        words.append(overdueTurns)
        words.put(guestService)
        words.put(launchService)
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        guestTurns = try state.counter()
        launchTurns = try state.counter()
        launches = try state.counter()
        refusals = try state.counter()
        overdueTurns = try state.counter()
        guestService = try state.service()
        launchService = try state.service()
    }
}

extension GuestRequest {
    fileprivate func save(into words: inout [UInt64]) {
        words.put(request)
        words.put(kind)
        words.put(cost)
        words.put(arrivedAt)
        words.put(deadline)
        words.put(flags: isReserved, isAged, isProtected, isPatient, limitIsWaived)
        words.put(reservationBefore)
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        self.init(
            request: try state.request(), kind: try state.choice(CommandKind.self), cost: try state.work(),
            arrivedAt: try state.moment(), deadline: try state.instant())
        let flags = try state.flags(5)
        (isReserved, isAged, isProtected, isPatient) = (flags[0], flags[1], flags[2], flags[3])
        limitIsWaived = flags[4]
        reservationBefore = CellRate(chargedUntil: try state.moment())
    }
}

extension LaunchSession {
    fileprivate func save(into words: inout [UInt64]) {
        words.append(id.number)
        plan.save(into: &words)
        words.put(startedAt)
        words.put(declaredCost)
        words.put(orderKey)
        words.put(orderTie)
        words.put(service)
        words.put(holdCost)
        words.put(pagesGranted)
        words.put(optional: command) { $1.save(into: &$0) }
        words.put(flags: turnIsOutstanding, hasIssued)
        words.put(optional: lastTurnEnded) { $0.put($1) }
        words.put(holdEnds)
        words.put(lastActivity)
        words.put(optional: origin) { $0.append($1) }
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        let id = SessionID(number: try state.word())
        let plan = try LaunchPlan(restoring: &state)
        let startedAt = try state.moment()
        let declaredCost = try state.work()
        self.init(
            id: id, plan: plan, startedAt: startedAt, declaredCost: declaredCost, orderKey: try state.integer(),
            orderTie: try state.sequence(), lastActivity: startedAt)
        service = try state.work()
        holdCost = try state.work()
        pagesGranted = try state.unsigned32()
        command = try state.optional { (state) throws(StateProblem) in try LaunchCommand(restoring: &state) }
        let flags = try state.flags(2)
        (turnIsOutstanding, hasIssued) = (flags[0], flags[1])
        lastTurnEnded = try state.optional { (state) throws(StateProblem) in try state.moment() }
        holdEnds = try state.moment()
        lastActivity = try state.moment()
        origin = try state.optional { (state) throws(StateProblem) in try state.word() }
    }
}

extension LaunchPlan {
    fileprivate func save(into words: inout [UInt64]) {
        words.put(pages)
        words.put(virtualCPUs)
        words.put(flags: isWhole, isProxy)
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        pages = try state.unsigned32()
        virtualCPUs = try state.unsigned32()
        let flags = try state.flags(2)
        (isWhole, isProxy) = (flags[0], flags[1])
    }
}

extension LaunchCommand {
    fileprivate func save(into words: inout [UInt64]) {
        words.put(request)
        words.put(kind)
        words.put(units)
        words.put(arrivedAt)
        words.put(deadline)
    }

    fileprivate init(restoring state: inout StateReader) throws(StateProblem) {
        self.init(
            request: try state.request(), kind: try state.choice(CommandKind.self), units: try state.unsigned32(),
            arrivedAt: try state.moment(), deadline: try state.instant())
    }
}
