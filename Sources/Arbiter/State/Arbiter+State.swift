/// The whole state as words, and back: what the Arbiter decides from then on is the same.
///
/// Written are the facts, in an order that follows from them alone; what can be derived (sums, the shape of the trees)
/// is derived again. Two Arbiters in the same state therefore write the same words.
extension Arbiter {
    /// Of the order and meaning of the words. To be raised with each change of what the Arbiter remembers.
    static let stateVersion: UInt64 = 2

    /// Appends the state. To be called between two events.
    public func save(into words: inout [UInt64]) {
        words.append(Self.stateVersion)
        words.put(virtualMachines.count)
        configuration.save(into: &words)
        saveHost(&words)
        saveWaiting(&words)
        saveAccounts(&words)
        saveVirtualMachines(&words)
    }

    private func saveHost(_ words: inout [UInt64]) {
        words.put(clock)
        device.save(into: &words)
        words.put(flags: isDraining, wasOverloaded, isPaused)
        words.put(optional: heldFor) { $0.put($1) }
        words.put(optional: dispatchAgainAt) { $0.put($1) }
        words.put(optional: nextWake) { $0.put($1) }
        words.put(optional: turn) { $1.save(into: &$0) }
        words.put(optional: turnBeside) { $1.save(into: &$0) }
        overload.save(into: &words)
        floor.save(into: &words)
        fairShare.save(into: &words)
        platform.save(into: &words)
        words.put(sequence)
        words.append(lastTurn)
        words.append(lastSession)
        totals.save(into: &words)
    }

    private func saveWaiting(_ words: inout [UInt64]) {
        sessions.save(into: &words)
        ready.save(into: &words)
        readyLong.save(into: &words)
        holding.save(into: &words)
        recent.save(into: &words)
        aged.save(into: &words)
        reserved.save(into: &words)
        reservedByTag.save(into: &words)
        shared.save(into: &words)
        patient.save(into: &words)
        timers.save(into: &words)
        costs.save(into: &words)
    }

    private func saveAccounts(_ words: inout [UInt64]) {
        words.put(accounts.count { $0 != nil })
        for (slot, account) in accounts.enumerated() {
            guard let account else { continue }
            words.put(slot)
            account.save(into: &words)
        }
    }

    /// The free slots in the order in which they are used, with their last tenants' generations; then the tenants.
    private func saveVirtualMachines(_ words: inout [UInt64]) {
        words.put(freeSlots.count)
        for slot in freeSlots { words.put(VMID(slot: slot, generation: virtualMachines[Int(slot)].generation)) }
        for slot in virtualMachines.indices where virtualMachines[slot].isRegistered {
            words.put(slot)
            virtualMachines[slot].save(into: &words)
            gaps.save(slot, into: &words)
        }
    }

    // MARK: Back

    /// An Arbiter that goes on where the one was that wrote `words`.
    ///
    /// - Parameter configuration: another one to go on with; what was promised stays promised.
    public static func restored(
        from words: [UInt64], configuration other: Configuration? = nil
    ) throws(StateProblem) -> Arbiter {
        var state = StateReader(words)
        let version = try state.word()
        guard version == Self.stateVersion else {
            throw StateProblem(
                word: 0, message: "is of version \(version), and this program knows version \(Self.stateVersion)")
        }
        let count = Int(try state.integer(in: 1...Int64(Limits.restoredVMs), "the most VMs"))
        let saved = try Configuration(restoring: &state)
        var arbiter = Arbiter(configuration: other ?? saved, virtualMachines: count, now: .distantPast)
        try arbiter.restore(&state)
        guard state.position == words.count else { throw state.problem("goes on beyond its end") }
        // Under another configuration more may be promised than it would permit.
        if let violation = other == nil ? arbiter.violatedInvariant() : arbiter.violatedPlace() {
            throw state.problem("contradicts itself: \(violation)")
        }
        return arbiter
    }

    private mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        try restoreHost(&state)
        try restoreWaiting(&state)
        try restoreAccounts(&state)
        try restoreVirtualMachines(&state)
    }

    private mutating func restoreHost(_ state: inout StateReader) throws(StateProblem) {
        let count = virtualMachines.count
        clock = try state.moment()
        device = try DeviceWatch(restoring: &state)
        let flags = try state.flags(3)
        (isDraining, wasOverloaded, isPaused) = (flags[0], flags[1], flags[2])
        heldFor = try state.optional { (state) throws(StateProblem) in try state.slot(below: count) }
        dispatchAgainAt = try state.optional { (state) throws(StateProblem) in try state.instant() }
        nextWake = try state.optional { (state) throws(StateProblem) in try state.instant() }
        turn = try state.optional { (state) throws(StateProblem) in try Turn(restoring: &state) }
        turnBeside = try state.optional { (state) throws(StateProblem) in try Turn(restoring: &state) }
        try checkTurns(grantedBy: clock, state)
        try state.checkLevel(atMost: LaunchOverload.most)
        try overload.restore(&state)
        try floor.restore(&state)
        fairShare = try FairShare(restoring: &state, guestTurn: ledger.guestTurn)
        platform = try PlatformQueue(restoring: &state)
        sequence = try state.sequence()
        lastTurn = try state.counter()
        lastSession = try state.counter()
        totals = try Totals(restoring: &state)
    }

    private mutating func restoreWaiting(_ state: inout StateReader) throws(StateProblem) {
        try sessions.restore(&state)
        try ready.restore(&state)
        try readyLong.restore(&state)
        try holding.restore(&state)
        try recent.restore(&state)
        try aged.restore(&state)
        try reserved.restore(&state)
        try reservedByTag.restore(&state)
        try shared.restore(&state)
        try patient.restore(&state)
        try timers.restore(&state)
        try costs.restore(&state)
    }

    private mutating func restoreAccounts(_ state: inout StateReader) throws(StateProblem) {
        for _ in 0..<(try state.count(atMost: Limits.accounts, "the accounts")) {
            let slot = try state.slot(below: Limits.accounts)
            accounts[slot] = try Account(restoring: &state)
        }
    }

    private mutating func restoreVirtualMachines(_ state: inout StateReader) throws(StateProblem) {
        let count = virtualMachines.count
        var isFree = Array(repeating: false, count: count)
        freeSlots.removeAll(keepingCapacity: true)
        for _ in 0..<(try state.count(atMost: count, "the free slots")) {
            let last = try state.vm()
            guard last.slot < count, !isFree[Int(last.slot)] else { throw state.problem("frees a slot wrongly") }
            isFree[Int(last.slot)] = true
            freeSlots.append(last.slot)
            virtualMachines[Int(last.slot)].generation = last.generation
        }
        for _ in freeSlots.count..<count {
            let slot = try state.slot(below: count)
            guard !isFree[slot], !virtualMachines[slot].isRegistered else {
                throw state.problem("has two VMs in one slot")
            }
            virtualMachines[slot] = try VirtualMachine(restoring: &state)
            try gaps.restore(slot, &state)
            try enter(virtualMachines[slot], state)
        }
    }

    /// No turn is younger than the state.
    func checkTurns(grantedBy last: Instant, _ state: StateReader) throws(StateProblem) {
        for turn in [turn, turnBeside].compactMap({ $0 }) where turn.grantedAt > last {
            throw state.problem("has a turn that was granted after it was written")
        }
    }

    /// What is derived from a VM.
    mutating func enter(_ vm: VirtualMachine, _ state: StateReader) throws(StateProblem) {
        let account = Int(vm.account.slot)
        guard accounts[account] != nil else { throw state.problem("has a VM of an account that it has not") }
        accounts[account]?.virtualMachines += 1
        accounts[account]?.reserved.millihertz += vm.reservation.millihertz
        ledger.enter(reservation: vm.reservation, burst: vm.burst, retryPolicy: vm.retryPolicy)
        if vm.isWaitingForFloor { floorWaiters += 1 }
        // Reservations are kept also where they cost more than before: what they cost together must stay a number.
        guard ledger.reserved.millihertz < Int64.max / 4 / ledger.guestTurn.count else {
            throw state.problem("promises more than any SP does")
        }
    }
}
