/// The entry points of the hot path: acquire, release, cancel; and time.
extension Arbiter {
    /// Asks for a turn. The answer, at once or later, is one terminal decision for `request`.
    ///
    /// - Parameters:
    ///   - units: pages or vCPUs, by the kind; 1 for guest requests.
    ///   - maxWait: the client hears nothing after this; `nil` for the Arbiter's own bounds only.
    /// - Throws: the client's mistake. Nothing has changed then.
    public mutating func acquire(
        _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?, request: RequestID, of vm: VMID, now: Instant,
        into decisions: inout [Decision]
    ) throws(RequestError) {
        let slot = try slot(of: vm)
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        try enqueue(kind, units: units, maxWait: maxWait, request: request, slot: slot, &decisions)
    }

    /// Returns a turn.
    public mutating func release(
        _ turn: TurnID, _ outcome: TurnOutcome, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        try finish(turn, outcome, of: vm, &decisions)
    }

    /// Returns a turn and asks for the next in one step: nothing can come between them but a higher rule.
    ///
    /// If the release is a mistake, nothing is acquired; if the acquire is, the release stands.
    public mutating func releaseAndAcquire(
        _ turn: TurnID, _ outcome: TurnOutcome, _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?,
        request: RequestID, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        let slot = try slot(of: vm)
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        try finish(turn, outcome, of: vm, &decisions)
        try enqueue(kind, units: units, maxWait: maxWait, request: request, slot: slot, &decisions)
    }

    /// Withdraws a request that still waits: its terminal decision is then BUSY. One already answered is let be.
    public mutating func cancel(
        _ request: RequestID, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard let slot = existingSlot(of: vm) else { return }
        if waitingGuest(slot, is: { $0 == request }) {
            refuse(slot, .cancelled, retryAfter: .zero, &decisions)
        } else if virtualMachines[slot].session?.command?.request == request {
            withdrawCommand(slot)
            decisions.append(.busy(request, vm, Busy(retryAfter: .zero, reason: .cancelled, holder: nil)))
        }
    }

    /// A client's connection is gone: what it asked by it vanishes, and its turns are free, but for proxies' turns.
    ///
    /// The kernel closes a connection's descriptors only after the client's last thread has left it.
    public mutating func hangUp(
        origin: UInt64, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        releaseTurns(ofVM: vm, { $0.origin == origin }, &decisions)
        guard let slot = existingSlot(of: vm) else { return }
        if waitingGuest(slot, is: { $0.origin == origin }) { withdrawGuest(slot) }
        if virtualMachines[slot].session?.command?.request.origin == origin { withdrawCommand(slot) }
        guard virtualMachines[slot].session?.origin == origin else { return }
        holding.remove(slot)
        settleIdleSession(slot)
    }

    /// Runs what has come due. To be called when `nextWake` has passed.
    public mutating func advance(to now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        dispatch(&decisions)
    }

    /// Grants nothing more to guests and begins no launch; open launches go on to their end.
    public mutating func drain(now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        isDraining = true
        refuseAllGuests(.draining, &decisions)
        dispatch(&decisions)
    }

    public mutating func resume(now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        isDraining = false
        dispatch(&decisions)
    }

    /// Puts one request where it belongs. Tells the client of its place if it does not get its turn at once.
    private mutating func enqueue(
        _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?, request: RequestID, slot: Int,
        _ decisions: inout [Decision]
    ) throws(RequestError) {
        var deadline = Instant.distantFuture
        // A client may name any wait: one beyond the end of time is as good as none.
        if let maxWait { deadline = clock + maxWait.clamped(to: .zero...(.distantFuture - clock)) }
        switch kind.commandClass {
        case .platform:
            throw .kindNotAllowed
        case .guest:
            guard units == 1 else { throw .unitsOutOfBounds }
            enqueueGuest(kind, request: request, deadline: deadline, slot: slot, &decisions)
        case .launch:
            try enqueueLaunch(kind, units: units, request: request, deadline: deadline, slot: slot, &decisions)
        }
    }
}
