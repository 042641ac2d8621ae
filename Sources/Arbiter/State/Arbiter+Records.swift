/// The state in parts, each of which is written down by itself whenever it changes, for a daemon that is started again.
///
/// Unlike `save`, which keeps everything and goes on as if nothing had happened, the parts keep what clients cannot
/// tell anew: what was promised, what was used up, and the turns that are out. Requests that wait are asked again by
/// their clients, and keep their age; what was measured is measured again.
extension Arbiter {
    /// Of the order and meaning of the words in the parts. To be raised with each change of what they say.
    public static let recordVersion: UInt64 = 1

    // MARK: Writing

    /// Appends what belongs to no VM and no account: the turns, the floor, the levels of the host.
    public func saveHost(into words: inout [UInt64]) {
        words.put(clock)
        words.put(device.state)
        words.put(flags: isDraining)
        words.put(optional: turn) { $1.save(into: &$0) }
        words.put(optional: turnBeside) { $1.save(into: &$0) }
        overload.save(into: &words)
        floor.save(into: &words)
        words.put(fairShare.virtualTime)
        words.put(platform.lastUrgent)
        words.put(sequence)
        words.append(lastTurn)
        words.append(lastSession)
        totals.save(into: &words)
    }

    /// Appends what belongs to one place for a VM: the VM, or only how many there have been if it is free.
    public func saveVirtualMachine(inSlot slot: UInt32, into words: inout [UInt64]) {
        guard slot < virtualMachines.count else { return }
        let isRegistered = virtualMachines[Int(slot)].isRegistered
        words.put(flags: isRegistered)
        if isRegistered {
            virtualMachines[Int(slot)].save(into: &words)
        } else {
            words.put(virtualMachines[Int(slot)].generation)
        }
    }

    /// Appends what belongs to one account. Nothing, if it is not open.
    public func saveAccount(_ account: AccountID, into words: inout [UInt64]) {
        accounts[Int(account.slot)]?.save(into: &words)
    }

    /// The account of a registered VM.
    public func account(of vm: VMID) -> AccountID? { existingSlot(of: vm).map { virtualMachines[$0].account } }

    // MARK: Reading

    /// An Arbiter with what the parts say. It grants nothing until `resumeGrants`: clients say first what they wait
    /// for.
    ///
    /// The time in which nobody scheduled counts for nobody: turns are as old as they were, and no lease ran on.
    ///
    /// - Parameters:
    ///   - count: places for VMs; more if a VM's place lies beyond.
    ///   - configuration: may be another than before; what was promised stays promised.
    public static func rebuilt(
        from records: ArbiterRecords, configuration: Configuration, virtualMachines count: Int, now: Instant
    ) throws(StateProblem) -> Arbiter {
        let places = max(count, (records.virtualMachines.map { Int($0.slot) + 1 }.max() ?? 0))
        guard places <= Limits.restoredVMs else {
            throw StateProblem(word: 0, message: "has VMs in more than \(Limits.restoredVMs) places")
        }
        var arbiter = Arbiter(configuration: configuration, virtualMachines: places, now: now)
        arbiter.isPaused = true
        let passed = try arbiter.rebuildHost(records.host)
        for (account, words) in records.accounts { try arbiter.rebuild(account, words) }
        for (slot, words) in records.virtualMachines { try arbiter.rebuild(Int(slot), words, passed) }
        arbiter.freeSlots = arbiter.virtualMachines.indices.reversed().filter {
            !arbiter.virtualMachines[$0].isRegistered
        }.map { UInt32($0) }
        arbiter.foretellWake()
        if let violation = arbiter.violatedPlace() {
            throw StateProblem(word: 0, message: "contradicts itself: \(violation)")
        }
        return arbiter
    }

    /// - Returns: how long nobody scheduled.
    private mutating func rebuildHost(_ words: [UInt64]) throws(StateProblem) -> Nanoseconds {
        var state = StateReader(words)
        let stoppedAt = try state.moment()
        // It is of the same boot, whose clock does not step back.
        guard stoppedAt <= clock else { throw state.problem("was written later than now") }
        let passed = clock - stoppedAt
        device.state = try state.choice(DeviceState.self)
        isDraining = try state.flags(1)[0]
        turn = try state.optional { (state) throws(StateProblem) in try Turn(restoring: &state) }
        turnBeside = try state.optional { (state) throws(StateProblem) in try Turn(restoring: &state) }
        try checkTurns(grantedBy: stoppedAt, state)
        if turn == nil || turn?.isWholeLaunch == true || turnBeside == nil {
            turn?.rebase(by: passed)
            turnBeside?.rebase(by: passed)
        } else {
            throw state.problem("has two turns where one is possible")
        }
        try state.checkLevel(atMost: LaunchOverload.most)
        try overload.restore(&state)
        try floor.restore(&state)
        fairShare = FairShare(guestTurn: ledger.guestTurn, startingAt: try state.integer())
        platform.lastUrgent = try state.moment()
        sequence = try state.sequence()
        lastTurn = try state.counter()
        lastSession = try state.counter()
        totals = try Totals(restoring: &state)
        guard state.position == words.count else { throw state.problem("goes on beyond its end") }
        return passed
    }

    private mutating func rebuild(_ id: AccountID, _ words: [UInt64]) throws(StateProblem) {
        var state = StateReader(words)
        guard id.slot < accounts.count, accounts[Int(id.slot)] == nil else {
            throw state.problem("has an account where there is no place for it")
        }
        accounts[Int(id.slot)] = try Account(restoring: &state)
        guard state.position == words.count else { throw state.problem("goes on beyond its end") }
    }

    private mutating func rebuild(_ slot: Int, _ words: [UInt64], _ passed: Nanoseconds) throws(StateProblem) {
        var state = StateReader(words)
        guard try state.flags(1)[0] else {
            virtualMachines[slot].generation = try state.unsigned32()
            return
        }
        guard !virtualMachines[slot].isRegistered else { throw state.problem("has two VMs in one place") }
        virtualMachines[slot] = try VirtualMachine(restoring: &state)
        guard state.position == words.count else { throw state.problem("goes on beyond its end") }
        try enter(virtualMachines[slot], state)
        rebuildGuest(slot, passed)
        rebuildSession(slot, passed)
    }

    /// A request that waited will come again: until then its VM counts as one that was refused and is expected back.
    private mutating func rebuildGuest(_ slot: Int, _ passed: Nanoseconds) {
        let id = id(ofSlot: slot)
        let isServed = [turn, turnBeside].contains { $0?.vm == id && $0?.guestPart != nil }
        if isServed, virtualMachines[slot].guest != nil {
            virtualMachines[slot].phase = .inService
        } else {
            if let waited = virtualMachines[slot].guest {
                virtualMachines[slot].refusedAt = clock
                virtualMachines[slot].keepAge(of: waited)
            }
            refundReservation(slot)
            virtualMachines[slot].guest = nil
            virtualMachines[slot].phase = .idle
        }
        if let refused = virtualMachines[slot].refusedAt {
            let moved = min(refused + passed, clock)
            virtualMachines[slot].refusedAt = moved
            set(.backlogEnds, slot, at: moved + Limits.backlogMemory)
        }
        if virtualMachines[slot].isWaitingForFloor { floorWaiters -= 1 }
        virtualMachines[slot].isBacklogged = false
        virtualMachines[slot].isWaitingForFloor = false
        updateBacklog(slot)
    }

    /// A session goes on where it was; its command, if one waited, comes again.
    private mutating func rebuildSession(_ slot: Int, _ passed: Nanoseconds) {
        guard let session = virtualMachines[slot].session else { return }
        virtualMachines[slot].session?.command = nil
        virtualMachines[slot].session?.turnIsOutstanding = turn?.session == session.id
        virtualMachines[slot].session?.lastActivity = min(session.lastActivity + passed, clock)
        reorder(slot)
        set(.sessionIdle, slot, at: clock + Limits.sessionIdle)
        set(.wallClock, slot, at: session.startedAt + configuration.launchWallClockMax)
    }

    // MARK: Going on

    /// From now on turns are granted. Those that are out have their leases anew: until now nobody could return them.
    public mutating func resumeGrants(now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        isPaused = false
        if let turn { self.turn?.rebase(by: clock - turn.grantedAt) }
        if let turnBeside { self.turnBeside?.rebase(by: clock - turnBeside.grantedAt) }
        if let turn { set(.lease, at: turn.leaseEnds) }
        if let turnBeside { set(.leaseBeside, at: turnBeside.leaseEnds) }
        // Whatever was being found out about the device when the daemon ended, it must be found out anew.
        if !device.permitsGrants { askDevice(&decisions) }
        dispatch(&decisions)
    }

    /// The turns that came of requests of this connection.
    public func turns(ofOrigin origin: UInt64) -> [TurnID] {
        [turn, turnBeside].compactMap { $0?.origin == origin && $0?.vm != VMID.none ? $0?.id : nil }
    }

    /// The connections by which this VM holds turns.
    public func origins(ofTurnsOf vm: VMID) -> [UInt64] {
        [turn, turnBeside].compactMap { $0?.vm == vm ? $0?.origin : nil }
    }

    public func session(of vm: VMID) -> SessionID? { existingSlot(of: vm).flatMap { virtualMachines[$0].session?.id } }

    /// Takes a turn back whose grant never reached its client: as if it had not been granted.
    public mutating func takeBack(_ id: TurnID, now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard let held = outstanding(id) else { return }
        if turn?.id == id {
            turn = nil
            clear(.lease)
        } else {
            turnBeside = nil
            clear(.leaseBeside)
        }
        guard let slot = existingSlot(of: held.vm) else { return }
        switch held.kind.commandClass {
        case .guest: guestTurnTakenBack(slot)
        case .launch: launchTurnTakenBack(held, slot)
        case .platform: break
        }
    }
}

/// What was written down of an Arbiter, part by part.
public struct ArbiterRecords: Sendable {
    public var host: [UInt64]
    public var accounts: [(AccountID, [UInt64])]
    public var virtualMachines: [(slot: UInt32, words: [UInt64])]

    public init(
        host: [UInt64], accounts: [(AccountID, [UInt64])], virtualMachines: [(slot: UInt32, words: [UInt64])]
    ) {
        self.host = host
        self.accounts = accounts
        self.virtualMachines = virtualMachines
    }
}

extension Turn {
    /// Makes it as old as it was when scheduling stopped, `passed` ago.
    fileprivate mutating func rebase(by passed: Nanoseconds) {
        var moved = Turn(
            id: id, vm: vm, kind: kind, units: units, session: session, origin: origin, grantedAt: grantedAt + passed,
            predicted: predicted, lease: lease, guestPart: guestPart)
        moved.isProxy = isProxy
        self = moved
    }
}

extension Decision {
    /// The VM that it is about; `nil` for what concerns the host.
    public var vm: VMID? {
        switch self {
        case .granted(_, let vm, _), .queued(_, let vm, _), .busy(_, let vm, _), .failed(_, let vm, _),
            .revoked(_, let vm, _), .sessionEnded(_, let vm, _):
            vm == .none ? nil : vm
        case .probe, .deviceState: nil
        }
    }
}
