/// Launch sessions: their begin and end, their order, their commands.
extension Arbiter {
    // MARK: Begin and end

    /// Opens the VM's launch session.
    ///
    /// - Throws: `.busy` when the launch bucket of the VM or of its account is too full, or while draining; `.error`
    ///   for the client's mistakes.
    public mutating func beginLaunch(
        _ plan: LaunchPlan, of vm: VMID, now: Instant
    ) throws(LaunchRefusal) -> SessionID {
        guard let slot = existingSlot(of: vm) else { throw .error(.unknownVM) }
        accrue(to: now)
        guard virtualMachines[slot].session == nil else { throw .error(.sessionAlreadyOpen) }
        guard (1...configuration.launchPagesMax).contains(plan.pages),
            (1...Limits.virtualCPUsMax).contains(plan.virtualCPUs)
        else { throw .error(.pagesOutOfBounds) }
        let declared = costs.predicted(plan)
        try checkLaunchBuckets(slot, declared)
        chargeLaunch(declared, slot)
        lastSession += 1
        let id = SessionID(number: lastSession)
        let key = orderKey(startingAt: clock, declared: declared)
        virtualMachines[slot].session = LaunchSession(
            id: id, plan: plan, startedAt: clock, declaredCost: declared, orderKey: key, orderTie: nextSequence(),
            lastActivity: clock)
        virtualMachines[slot].counters.launches += 1
        totals.launches += 1
        reorder(slot)
        set(.sessionIdle, slot, at: clock + Limits.sessionIdle)
        set(.wallClock, slot, at: clock + configuration.launchWallClockMax)
        foretellWake()
        return id
    }

    private func checkLaunchBuckets(_ slot: Int, _ declared: Nanoseconds) throws(LaunchRefusal) {
        if isDraining { throw refusal(.draining, after: Limits.retryQuantum) }
        if device.state == .dead { throw refusal(.deviceDead, after: Limits.retryQuantum) }
        let ofVM = virtualMachines[slot].launchDebt.wait(for: declared, at: clock, configuration.launchBucketVM)
        guard ofVM == .zero else { throw refusal(.launchBucketVM, after: ofVM) }
        let account = accounts[Int(virtualMachines[slot].account.slot)]
        let ofAccount = account?.launchDebt.wait(for: declared, at: clock, configuration.launchBucketAccount) ?? .zero
        guard ofAccount == .zero else { throw refusal(.launchBucketAccount, after: ofAccount) }
    }

    private func refusal(_ reason: BusyReason, after wait: Nanoseconds) -> LaunchRefusal {
        .busy(Busy(retryAfter: wait, reason: reason, holder: nil))
    }

    /// Charges launch work to the VM and its account; a negative amount gives back what was declared and not used.
    private mutating func chargeLaunch(_ work: Nanoseconds, _ slot: Int) {
        virtualMachines[slot].launchDebt.add(work, at: clock, configuration.launchBucketVM)
        let account = Int(virtualMachines[slot].account.slot)
        accounts[account]?.launchDebt.add(work, at: clock, configuration.launchBucketAccount)
    }

    /// Closes the session. The first guest request that follows skips the VM's limit.
    public mutating func endLaunch(
        _ session: SessionID, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        let slot = try slot(of: vm)
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard let open = virtualMachines[slot].session else { throw .noSession }
        guard open.id == session else { throw .unknownSession }
        guard !open.turnIsOutstanding else { throw .turnStillHeld }
        closeSession(slot, &decisions)
        if clock - virtualMachines[slot].lastSkip >= Limits.launchWaiverEvery {
            virtualMachines[slot].skipsLimit = true
        }
    }

    /// The Arbiter ends a session by itself: its wall clock ran out. A turn it holds runs on to its release or lease.
    mutating func endSession(_ slot: Int, _ reason: SessionEnd, _ decisions: inout [Decision]) {
        guard let session = virtualMachines[slot].session else { return }
        closeSession(slot, &decisions)
        decisions.append(.sessionEnded(session.id, id(ofSlot: slot), reason))
    }

    mutating func closeSession(_ slot: Int, _ decisions: inout [Decision]) {
        guard let session = virtualMachines[slot].session else { return }
        if let command = session.command {
            decisions.append(.failed(command.request, id(ofSlot: slot), .noSession))
        }
        // What was declared and not used goes back (but for the start that every session costs), what went beyond is
        // owed.
        let used = max(session.service, costs.planning.launchStart)
        chargeLaunch(used - session.declaredCost, slot)
        clear(.launchDeadline, slot)
        clear(.notice, slot)
        clear(.sessionIdle, slot)
        clear(.wallClock, slot)
        sessions.remove(slot)
        ready.remove(slot)
        readyLong.remove(slot)
        holding.remove(slot)
        recent.remove(slot)
        virtualMachines[slot].session = nil
    }

    // MARK: Order

    /// First come, first served; or by size: then a session starts as if it had begun up to `launchAging` later, the
    /// more the larger it is, so that none is overtaken by one that began later than that.
    private func orderKey(startingAt start: Instant, declared: Nanoseconds) -> Int64 {
        switch configuration.launchOrder {
        case .firstComeFirstServed: start.sinceBoot.count
        case .shortestFirst: (start + handicap(declared)).sinceBoot.count
        }
    }

    /// Grows strictly with the size, from 10 × the size of small launches towards `launchAging`.
    private func handicap(_ declared: Nanoseconds) -> Nanoseconds {
        // An hour at most: its square then stays inside 64 bits. The product with the size, which a client declares,
        // would not.
        let aging = min(configuration.launchAging, .seconds(3_600)).count / 1_000
        let middle = aging / 10 + 1
        return .microseconds(aging - aging * middle / (declared.count / 1_000 + middle))
    }

    /// Moves a session behind all that are open now.
    private mutating func sendToTail(_ slot: Int) {
        guard let session = virtualMachines[slot].session else { return }
        let aging = configuration.launchOrder == .shortestFirst ? configuration.launchAging : .zero
        virtualMachines[slot].session?.orderKey = max(session.orderKey, (clock + aging).sinceBoot.count)
        let tie = nextSequence()
        virtualMachines[slot].session?.orderTie = tie
        reorder(slot)
    }

    /// Brings the session's place in each of the orders in line with its state.
    mutating func reorder(_ slot: Int) {
        guard let session = virtualMachines[slot].session else { return }
        let (key, tie) = (session.orderKey, session.orderTie)
        let isLong = session.command?.isLong(chunkPages: configuration.chunkPages) ?? false
        ready.set(slot, key: key, tie: tie, inside: session.command != nil && !isLong)
        readyLong.set(slot, key: key, tie: tie, inside: session.command != nil && isLong)
        recent.set(slot, key: key, tie: tie, inside: session.isActive(at: clock))
        if holding.contains(slot) { holding.set(slot, key: key, tie: tie) }
        sessions.set(slot, key: key, tie: tie, cost: recent.contains(slot) ? session.remaining : .zero)
    }

    /// A session that issued nothing for a second goes to the tail.
    mutating func settleIdleSession(_ slot: Int) {
        guard let session = virtualMachines[slot].session else { return }
        guard session.command == nil, !session.turnIsOutstanding else { return }
        guard clock - session.lastActivity >= Limits.sessionIdle else {
            return set(.sessionIdle, slot, at: session.lastActivity + Limits.sessionIdle)
        }
        sendToTail(slot)
    }

    // MARK: Commands

    mutating func enqueueLaunch(
        _ kind: CommandKind, units: UInt32, request: RequestID, deadline: Instant, slot: Int,
        _ decisions: inout [Decision]
    ) throws(RequestError) {
        guard let session = virtualMachines[slot].session else { throw .noSession }
        guard (kind == .wholeLaunch) == session.plan.isWhole else { throw .kindDoesNotFitSession }
        guard unitBounds(kind).contains(units) else { throw .unitsOutOfBounds }
        guard session.command == nil else { throw .commandAlreadyQueued }
        guard !session.turnIsOutstanding else { throw .turnStillHeld }
        if device.state == .dead {
            let busy = Busy(retryAfter: Limits.retryQuantum, reason: .deviceDead, holder: nil)
            return decisions.append(.busy(request, id(ofSlot: slot), busy))
        }
        // While it stays idle it stays at the tail: those that began meanwhile are before it.
        if clock - session.lastActivity >= Limits.sessionIdle { sendToTail(slot) }
        if let ended = session.lastTurnEnded { gaps.record(clock - ended, of: slot) }
        holding.remove(slot)
        virtualMachines[slot].session?.command = LaunchCommand(
            request: request, kind: kind, units: units, arrivedAt: clock, deadline: deadline)
        virtualMachines[slot].session?.hasIssued = true
        virtualMachines[slot].session?.origin = request.origin
        virtualMachines[slot].session?.lastActivity = clock
        clear(.sessionIdle, slot)
        reorder(slot)
        if wakeIsUseful(deadline) { set(.launchDeadline, slot, at: deadline) }
        newcomer = slot
    }

    private func unitBounds(_ kind: CommandKind) -> ClosedRange<UInt32> {
        switch kind {
        case .launchStart: 1...1
        case .launchFinish: 1...Limits.virtualCPUsMax
        default: 1...configuration.launchPagesMax
        }
    }

    /// The command is withdrawn without an answer.
    mutating func withdrawCommand(_ slot: Int) {
        guard virtualMachines[slot].session?.command != nil else { return }
        virtualMachines[slot].session?.command = nil
        clear(.launchDeadline, slot)
        clear(.notice, slot)
        reorder(slot)
        set(.sessionIdle, slot, at: clock + Limits.sessionIdle)
    }

    mutating func launchDeadlinePassed(_ slot: Int, _ decisions: inout [Decision]) {
        guard let command = virtualMachines[slot].session?.command else { return }
        let busy = Busy(retryAfter: launchEstimate(slot), reason: .maxWait, holder: turn?.vm)
        withdrawCommand(slot)
        decisions.append(.busy(command.request, id(ofSlot: slot), busy))
    }

    // MARK: Notices

    /// Tells a launch command that did not get its turn at once of its place; `sendNotice` repeats it every second.
    mutating func announceNewcomer(_ decisions: inout [Decision]) {
        guard let slot = newcomer else { return }
        newcomer = nil
        sendNotice(slot, &decisions)
    }

    mutating func sendNotice(_ slot: Int, _ decisions: inout [Decision]) {
        guard let command = virtualMachines[slot].session?.command else { return }
        let notice = QueueNotice(position: UInt32(sessions.before(slot).count), estimate: launchEstimate(slot))
        decisions.append(.queued(command.request, id(ofSlot: slot), notice))
        set(.notice, slot, at: clock + Limits.noticeEvery)
    }

    private func launchEstimate(_ slot: Int) -> Nanoseconds {
        (turn?.remaining(at: clock) ?? .zero) + sessions.before(slot).cost
    }

    // MARK: Turns

    mutating func grantLaunch(_ slot: Int, _ decisions: inout [Decision]) {
        guard let session = virtualMachines[slot].session, let command = session.command else { return }
        clear(.launchDeadline, slot)
        clear(.notice, slot)
        let isDivisible = command.kind == .launchUpdate || command.kind == .legacyLaunch
        let units = isDivisible ? min(command.units, configuration.chunkPages) : command.units
        let predicted =
            command.kind == .wholeLaunch
            ? max(session.declaredCost, costs.predicted(.wholeLaunch, units: units))
            : costs.predicted(command.kind, units: units)
        virtualMachines[slot].session?.command = nil
        virtualMachines[slot].session?.turnIsOutstanding = true
        virtualMachines[slot].session?.lastActivity = clock
        if command.kind != .launchStart, command.kind != .launchFinish {
            virtualMachines[slot].session?.pagesGranted = session.pagesGranted &+ units
        }
        reorder(slot)
        start(
            command.kind, units: units, predicted: predicted,
            atMost: max(predicted, costs.besideUnjoined(command.kind, units: units)), of: slot,
            request: command.request, guestPart: nil,
            beside: false, &decisions)
    }

    mutating func launchTurnEnded(_ turn: Turn, slot: Int?, occupancy: Nanoseconds) {
        totals.launchTurns += 1
        totals.launchService += occupancy
        guard let slot else { return }
        virtualMachines[slot].counters.launchTurns += 1
        virtualMachines[slot].counters.launchService += occupancy
        guard let session = virtualMachines[slot].session, session.id == turn.session else { return }
        virtualMachines[slot].session?.service += occupancy
        virtualMachines[slot].session?.turnIsOutstanding = false
        virtualMachines[slot].session?.lastActivity = clock
        virtualMachines[slot].session?.lastTurnEnded = clock
        virtualMachines[slot].session?.holdEnds = clock + gaps.hold(of: slot, initial: configuration.hold)
        set(.sessionIdle, slot, at: clock + Limits.sessionIdle)
        // Each time anew: those that began meanwhile declared what they do.
        if session.pagesGranted > session.pagesExcessive {
            sendToTail(slot)
        } else {
            reorder(slot)
        }
        if turn.overdueSince == nil { hold(slot) }
    }

    /// Its grant never reached its client, which asks again.
    mutating func launchTurnTakenBack(_ turn: Turn, _ slot: Int) {
        guard let session = virtualMachines[slot].session, session.id == turn.session else { return }
        virtualMachines[slot].session?.turnIsOutstanding = false
        if turn.kind != .launchStart, turn.kind != .launchFinish {
            virtualMachines[slot].session?.pagesGranted = session.pagesGranted &- turn.units
        }
        reorder(slot)
        set(.sessionIdle, slot, at: clock + Limits.sessionIdle)
    }

    private mutating func hold(_ slot: Int) {
        guard let session = virtualMachines[slot].session else { return }
        holding.set(slot, key: session.orderKey, tie: session.orderTie)
    }
}
