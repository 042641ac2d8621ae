/// Turns: their start, their end by release, by their holder's death, or by their lease.
extension Arbiter {
    // MARK: Start

    /// - Parameter atMost: what it may take beside guests that never ask, if that is more than is predicted.
    mutating func start(
        _ kind: CommandKind, units: UInt32, predicted: Nanoseconds, atMost: Nanoseconds? = nil, of slot: Int?,
        request: RequestID, guestPart: GuestPart?, beside: Bool, _ decisions: inout [Decision]
    ) {
        lastTurn += 1
        let lease = lease(kind, predicted: predicted, expected: atMost ?? predicted)
        var new = Turn(
            id: TurnID(number: lastTurn), vm: .none, kind: kind, units: units, origin: request.origin,
            grantedAt: clock, predicted: predicted, lease: lease, guestPart: guestPart)
        if let slot {
            new.vm = id(ofSlot: slot)
            if kind.commandClass == .launch, let session = virtualMachines[slot].session {
                new.session = session.id
                new.isProxy = session.plan.isProxy
            }
        }
        if beside {
            turnBeside = new
            set(.leaseBeside, at: new.leaseEnds)
        } else {
            precondition(turn == nil && turnBeside == nil, "a turn was granted while another was outstanding")
            turn = new
            set(.lease, at: new.leaseEnds)
        }
        let grant = Grant(
            turn: new.id, kind: kind, units: units, startWithin: (lease - predicted) / 2, lease: lease)
        decisions.append(.granted(request, new.vm, grant))
    }

    @inline(__always)
    private func lease(_ kind: CommandKind, predicted: Nanoseconds, expected: Nanoseconds) -> Nanoseconds {
        guard kind == .wholeLaunch else { return expected * Limits.leaseFactor + Limits.leaseGrace }
        // All other launches wait behind it: it may not be held for longer than its session may stay open.
        let longest = max(configuration.launchWallClockMax, predicted + Limits.leaseGraceWhole)
        return min(expected * Limits.leaseFactor + Limits.leaseGraceWhole, longest)
    }

    // MARK: End

    /// The holder returns its turn.
    mutating func finish(
        _ id: TurnID, _ outcome: TurnOutcome, of vm: VMID, _ decisions: inout [Decision]
    ) throws(RequestError) {
        guard let held = outstanding(id), held.vm == vm else { throw .unknownTurn }
        if held.overdueSince == nil, let slot = existingSlot(of: vm) {
            let units = held.kind.commandClass == .launch ? min(outcome.unitsDone, held.units) : 1
            costs.observe(clock - held.grantedAt, held.kind, units: units, by: slot)
        }
        end(held)
        if outcome.reportsDeviceTrouble { askBecauseOfTrouble(&decisions) }
    }

    @inline(__always)
    func outstanding(_ id: TurnID) -> Turn? {
        if let turn, turn.id == id { return turn }
        if let turnBeside, turnBeside.id == id { return turnBeside }
        return nil
    }

    /// The SP is free of this turn: charges its occupancy, up to the end of its lease, to whom it belongs.
    mutating func end(_ ended: Turn) {
        if turn?.id == ended.id {
            turn = nil
            clear(.lease)
        } else {
            turnBeside = nil
            clear(.leaseBeside)
        }
        let occupancy = min(clock, ended.leaseEnds) - ended.grantedAt
        let slot = existingSlot(of: ended.vm)
        switch ended.kind.commandClass {
        case .guest: guestTurnEnded(ended, slot: slot, occupancy: occupancy)
        case .launch: launchTurnEnded(ended, slot: slot, occupancy: occupancy)
        case .platform:
            totals.platformTurns += 1
            totals.platformService += occupancy
        }
    }

    /// Ends the turns of a VM that is gone, or whose connection is; a proxy's turn stays to its lease.
    mutating func releaseTurns(ofVM vm: VMID, _ matches: (Turn) -> Bool, _ decisions: inout [Decision]) {
        if let turn, turn.vm == vm, !turn.isProxy, matches(turn) { end(turn) }
        if let turnBeside, turnBeside.vm == vm, !turnBeside.isProxy, matches(turnBeside) { end(turnBeside) }
    }

    // MARK: Leases

    /// A lease ended without release: nothing is granted until a probe shows that the SP is free.
    mutating func turnIsOverdue(_ decisions: inout [Decision]) {
        totals.overdueTurns += 1
        if let overdue = [turn, turnBeside].compactMap({ $0 }).last(where: { $0.overdueSince == clock }),
            let slot = existingSlot(of: overdue.vm)
        {
            virtualMachines[slot].counters.overdueTurns += 1
        }
        askDevice(&decisions)
    }

    /// The SP answered: turns that were overdue when it was asked are passed over.
    mutating func revokeOverdue(askedAt: Instant, _ decisions: inout [Decision]) {
        revoke(turn, askedAt, &decisions)
        revoke(turnBeside, askedAt, &decisions)
        if turn?.overdueSince != nil || turnBeside?.overdueSince != nil { askDevice(&decisions) }
    }

    private mutating func revoke(_ turn: Turn?, _ askedAt: Instant, _ decisions: inout [Decision]) {
        guard let turn, let overdueSince = turn.overdueSince, overdueSince <= askedAt else { return }
        end(turn)
        decisions.append(.revoked(turn.id, turn.vm, origin: turn.origin))
    }
}
