/// A timer of a VM slot, or one of the few that belong to no VM.
enum Timer: Int, CaseIterable {
    // Of a VM's guest request.
    case guestWait
    case limitOpens
    case reservationConforms
    case becomesAged
    /// A refused VM is no longer expected back.
    case backlogEnds
    // Of a VM's launch session.
    case launchDeadline
    case notice
    case sessionIdle
    case wallClock

    static let perVM = Timer.allCases.count
    static func capacity(virtualMachines: Int) -> Int { virtualMachines * perVM + SystemTimer.allCases.count }
}

enum SystemTimer: Int, CaseIterable {
    case lease
    case leaseBeside
    case platformPatience
    case probePatience
    case probeAgain
}

extension Arbiter {
    // MARK: Setting

    mutating func set(_ timer: Timer, _ slot: Int, at instant: Instant) {
        let index = slot * Timer.perVM + timer.rawValue
        timers.set(index, at: instant)
    }

    mutating func clear(_ timer: Timer, _ slot: Int) { timers.clear(slot * Timer.perVM + timer.rawValue) }

    mutating func set(_ timer: SystemTimer, at instant: Instant) {
        let index = virtualMachines.count * Timer.perVM + timer.rawValue
        timers.set(index, at: instant)
    }

    mutating func clear(_ timer: SystemTimer) {
        timers.clear(virtualMachines.count * Timer.perVM + timer.rawValue)
    }

    /// Tells the owner when to come back.
    mutating func foretellWake() {
        let timer = timers.next ?? .distantFuture
        let next = min(timer, dispatchAgainAt ?? .distantFuture)
        nextWake = next < .distantFuture ? next : nil
    }

    // MARK: Passing

    /// Brings the state up to `now`: every timer that has come due, in order of time. A clock that steps back stands.
    mutating func begin(_ now: Instant, _ decisions: inout [Decision]) {
        let now = max(now, clock)
        calledAt = now
        while let (index, due) = timers.takeDue(at: now) {
            accrue(to: max(due, clock))
            noticeOverload(&decisions)
            fire(index, &decisions)
        }
        accrue(to: now)
        noticeOverload(&decisions)
    }

    /// Time passes: the floor grows and pays, launches use their reserve, and an idle SP is charged to the session that
    /// holds it.
    mutating func accrue(to now: Instant) {
        let elapsed = now - clock
        guard elapsed > .zero else { return }
        passFloor(elapsed, until: now)
        if turn?.kind.commandClass == .launch { overload.add(elapsed, at: now) }
        if let holder = heldFor, anythingElseWaits {
            virtualMachines[holder].session?.holdCost += elapsed
            overload.add(elapsed, at: now)
            totals.holdCost += elapsed
        }
        clock = now
    }

    private mutating func passFloor(_ elapsed: Nanoseconds, until now: Instant) {
        let isServing = turn?.isChargedToFloor == true || turnBeside?.isChargedToFloor == true
        guard isServing || floorWaiters > 0 else { return }
        var launchTurn = Nanoseconds.zero
        if let turn, turn.kind.commandClass == .launch, !turn.isWholeLaunch {
            launchTurn = min(now, turn.leaseEnds) - turn.grantedAt
        }
        floor.pass(elapsed, isWanted: floorWaiters > 0, isServing: isServing, launchTurn: launchTurn)
    }

    private mutating func fire(_ index: Int, _ decisions: inout [Decision]) {
        let slot = index / Timer.perVM
        guard slot < virtualMachines.count else {
            return fire(system: SystemTimer(rawValue: index - virtualMachines.count * Timer.perVM), &decisions)
        }
        switch Timer(rawValue: index % Timer.perVM) {
        case .guestWait: guestWaitEnded(slot, &decisions)
        case .limitOpens: limitOpened(slot, &decisions)
        case .reservationConforms: reservationConforms(slot)
        case .becomesAged: guestAged(slot)
        case .backlogEnds: updateBacklog(slot)
        case .launchDeadline: launchDeadlinePassed(slot, &decisions)
        case .notice: sendNotice(slot, &decisions)
        case .sessionIdle: settleIdleSession(slot)
        case .wallClock: endSession(slot, .wallClock, &decisions)
        case nil: preconditionFailure("a timer index names no timer")
        }
    }

    private mutating func fire(system timer: SystemTimer?, _ decisions: inout [Decision]) {
        switch timer {
        case .lease: turn?.overdueSince = clock
        case .leaseBeside: turnBeside?.overdueSince = clock
        case .platformPatience: break  // The dispatch that follows finds the command before everything else.
        case .probePatience: probeIsLate(&decisions)
        case .probeAgain: askDevice(&decisions)
        case nil: preconditionFailure("a timer index names no timer")
        }
        if timer == .lease || timer == .leaseBeside { turnIsOverdue(&decisions) }
    }
}
