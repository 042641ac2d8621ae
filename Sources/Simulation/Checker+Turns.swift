import Arbiter

/// One turn at a time; launches in their order; holds.
extension Checker {
    mutating func begun(_ request: OpenRequest, _ vm: VMID, _ grant: Grant) throws(Violation) {
        if !turns.isEmpty {
            let isBeside = turns.count == 1 && turns[0].isWholeLaunch && request.commandClass == .guest
            guard isBeside else { throw broken(.oneTurn, "a turn for \(request.kind) beside \(turns.map(\.kind))") }
        } else {
            try respectsHolds(request)
        }
        let session = request.commandClass == .launch ? request.tenant.flatMap { tenants[$0].session } : nil
        turns.append(
            OpenTurn(
                id: grant.turn, tenant: request.tenant, vm: vm, kind: request.kind, origin: request.id.origin,
                grantedAt: clock, lease: grant.lease, isProxy: session?.isProxy ?? false,
                firstAttempt: request.firstAttempt))
        if request.commandClass == .platform { floorWindow.platformStarted += 1 }
        guard let tenant = request.tenant, request.commandClass == .launch else { return }
        tenants[tenant].session?.commandIsOpen = false
        tenants[tenant].session?.turnIsOutstanding = true
        tenants[tenant].session?.lastActivity = clock
        if request.kind != .launchStart, request.kind != .launchFinish {
            tenants[tenant].session?.pagesGranted += Int64(grant.units)
        }
    }

    /// - Parameter service: what the SP did for it, where that is not its occupancy.
    mutating func ended(_ id: TurnID, service: Nanoseconds?) throws(Violation) {
        guard let index = turns.firstIndex(where: { $0.id == id }) else {
            throw broken(.oneTurn, "turn \(id.number) ended, and was not outstanding")
        }
        let turn = turns.remove(at: index)
        let occupancy = clock - turn.grantedAt
        let wasOverdue = occupancy >= turn.lease
        if wasOverdue { counts.overdueTurns += 1 }
        largest.note(occupancy, turn)
        if turn.kind.commandClass == .platform { floorWindow.platformEnded += 1 }
        guard let tenant = turn.tenant, tenants[tenant].vm == turn.vm else { return }
        if turn.kind.commandClass == .guest {
            guestServices.append(
                GuestService(
                    tenant: tenant, service: occupancy, endedAt: clock,
                    isAged: turn.grantedAt - turn.firstAttempt >= Limits.agedAfter))
        } else {
            tenants[tenant].session?.turnEnded(at: clock, service: service ?? occupancy, wasOverdue: wasOverdue)
        }
        for other in tenants.indices { tenants[other].session?.residual(of: id, until: clock) }
    }

    // MARK: Sessions

    mutating func sessionBegan(_ id: SessionID, _ plan: LaunchPlan, tenant: Int) {
        sessionsBegun += 1
        var session = SessionView(id: id, plan: plan, order: sessionsBegun, lastActivity: clock)
        session.isFirstInLine =
            configuration.launchOrder == .firstComeFirstServed && !tenants.contains { $0.session != nil }
        tenants[tenant].session = session
    }

    mutating func sessionClosed(tenant: Int) throws(Violation) {
        guard let session = tenants[tenant].session else { return }
        tenants[tenant].session = nil
        counts.launchesDone += 1
        try promisedLaunchBound(session)
    }

    /// Before the command is asked for.
    mutating func launchCommand(tenant: Int, floorBalance: Nanoseconds) {
        guard tenants[tenant].session != nil else { return }
        let idle = tenants[tenant].session?.lastActivity.distance(to: clock) ?? .zero
        if idle >= Limits.sessionIdle {
            tenants[tenant].session?.wentToTail = true
            tenants[tenant].session?.isFirstInLine = false
        }
        if tenants[tenant].session?.firstCommand == nil {
            tenants[tenant].session?.firstCommand = clock
            tenants[tenant].session?.floorAtStart = floorBalance
            tenants[tenant].session?.awaitsResidualOf = turns.first?.id
        } else if let gap = tenants[tenant].session?.lastTurnEnded?.distance(to: clock) {
            noteGap(gap, tenant)
        }
        tenants[tenant].session?.commandIsOpen = true
        tenants[tenant].session?.hasAskedSince = true
        tenants[tenant].session?.lastActivity = clock
    }

    private mutating func noteGap(_ gap: Nanoseconds, _ tenant: Int) {
        let held = holdLength(tenant)
        tenants[tenant].session?.noteGap(gap, isHeld: gap < held)
        tenants[tenant].gaps.append(gap)
        if tenants[tenant].gaps.count > 100 { tenants[tenant].gaps.removeFirst() }
    }

    // MARK: Holds

    /// h of rule 4.
    func holdLength(_ tenant: Int) -> Nanoseconds {
        let gaps = tenants[tenant].gaps
        let twice = (gaps.max() ?? .zero) * 2
        let hold = gaps.count < 100 ? max(configuration.hold, twice) : twice
        return min(max(hold, .microseconds(200)), .milliseconds(10))
    }

    /// Whether this session is about to use the SP, so that nothing but rules 1 and 2 may come before it.
    private func holds(_ tenant: Int) -> Bool {
        guard let session = tenants[tenant].session, session.isIdleInHold, let ended = session.lastTurnEnded else {
            return false
        }
        let allowance = max(session.service / 4, .milliseconds(50))
        return clock - ended < min(holdLength(tenant), allowance - session.idleSum)
    }

    private mutating func respectsHolds(_ request: OpenRequest) throws(Violation) {
        guard configuration.launchOrder == .firstComeFirstServed else { return }
        if request.commandClass == .platform, clock - request.arrivedAt >= .seconds(1) { return }
        let order = request.commandClass == .launch ? request.tenant.flatMap { tenants[$0].session?.order } : nil
        for tenant in tenants.indices {
            guard let holder = tenants[tenant].session, holds(tenant), !holder.wentToTail, !holder.isOverDeclared,
                !holder.isIrregular,
                tenant != request.tenant || request.commandClass != .launch
            else { continue }
            if let order, order < holder.order { continue }
            // A floor turn may: the world says afterwards whether this was one.
            if request.commandClass == .guest { return floorWindow.grantsInHolds += 1 }
            throw broken(.hold, "\(request.kind) came into the hold of VM \(tenant)")
        }
    }
}

extension Instant {
    func distance(to later: Instant) -> Nanoseconds { later - self }
}

/// What the checker knows of a launch session.
struct SessionView {
    let id: SessionID
    let plan: LaunchPlan
    let order: Int64
    var isProxy: Bool { plan.isProxy }

    var lastActivity: Instant
    var commandIsOpen = false
    var turnIsOutstanding = false
    var wentToTail = false
    var pagesGranted: Int64 = 0
    var lastTurnEnded: Instant?
    var wasOverdue = false
    var hungUp = false
    /// Whether it asked for a command since its last turn ended: the hold is over then, whatever became of it.
    var hasAskedSince = false

    // MARK: For P1

    var isFirstInLine = false
    var firstCommand: Instant?
    var floorAtStart = Nanoseconds.zero
    var awaitsResidualOf: TurnID?
    var residual = Nanoseconds.zero
    /// B, Z and m.
    var service = Nanoseconds.zero
    var idleSum = Nanoseconds.zero
    var gapsNotHeld: Int64 = 0
    /// Its commands that were cancelled, refused, or came in no turn that ended well.
    var isIrregular = false

    init(id: SessionID, plan: LaunchPlan, order: Int64, lastActivity: Instant) {
        self.id = id
        self.plan = plan
        self.order = order
        self.lastActivity = lastActivity
    }

    var isOverDeclared: Bool { pagesGranted * 4 > Int64(plan.pages) * 5 - 4 }
    var isIdleInHold: Bool { !hasAskedSince && !turnIsOutstanding && !wasOverdue && !hungUp }

    mutating func turnEnded(at now: Instant, service: Nanoseconds, wasOverdue: Bool) {
        guard turnIsOutstanding else { return }
        turnIsOutstanding = false
        hasAskedSince = false
        lastTurnEnded = now
        lastActivity = now
        self.service += service
        self.wasOverdue = wasOverdue
    }

    mutating func noteGap(_ gap: Nanoseconds, isHeld: Bool) {
        idleSum += gap
        let isAllowed = idleSum < max(service / 4, .milliseconds(50))
        if !isHeld || !isAllowed { gapsNotHeld += 1 }
    }

    /// A turn ended: was it the one in service when this session's first command came?
    mutating func residual(of turn: TurnID, until now: Instant) {
        guard awaitsResidualOf == turn, let firstCommand else { return }
        residual = now - firstCommand
    }
}
