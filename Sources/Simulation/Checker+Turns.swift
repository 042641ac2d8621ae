import Arbiter

/// One turn at a time, and holds.
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
                isAged: isAged(request)))
        if request.commandClass == .platform { floorWindow.platformStarted += 1 }
        guard let tenant = request.tenant, request.commandClass == .launch else { return }
        launchTurnBegan(tenant, request.kind, units: grant.units)
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
        if turn.commandClass == .platform { floorWindow.platformEnded += 1 }
        noteResidual(of: turn)
        guard let tenant = turn.tenant, tenants[tenant].vm == turn.vm else { return }
        if turn.commandClass == .guest {
            if isHonest { fairness.served(tenant, occupancy, at: clock, isAged: turn.isAged) }
        } else {
            launchTurnEnded(tenant, turn, service: service ?? occupancy, wasOverdue: wasOverdue)
        }
    }

    /// Whether it is granted by part (a) of rule 6.
    private func isAged(_ request: OpenRequest) -> Bool {
        if clock - request.firstAttempt >= Limits.agedAfter { return true }
        guard let tenant = request.tenant, tenants[tenant].registration.retryPolicy != .linux else { return false }
        return clock - request.arrivedAt >= Limits.protectedAgedAfter
    }

    // MARK: Holds

    /// h of rule 4.
    func holdLength(_ tenant: Int) -> Nanoseconds { tenants[tenant].gaps.hold(initial: configuration.hold) }

    /// Whether this session is about to use the SP, so that nothing but rules 1 and 2 may come before it.
    private func holds(_ tenant: Int) -> Bool {
        guard let session = tenants[tenant].session, session.isIdleInHold, let ended = session.lastTurnEnded else {
            return false
        }
        // It may have been idle in holds for less than in all its gaps.
        return clock - ended < min(holdLength(tenant), session.heldIdleAllowed - session.own.idle)
    }

    private mutating func respectsHolds(_ request: OpenRequest) throws(Violation) {
        guard judgesHolds, configuration.launchOrder == .firstComeFirstServed else { return }
        if request.commandClass == .platform, clock - request.arrivedAt >= .seconds(1) { return }
        let order = request.commandClass == .launch ? request.tenant.flatMap { tenants[$0].session?.order } : nil
        for tenant in launching {
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
