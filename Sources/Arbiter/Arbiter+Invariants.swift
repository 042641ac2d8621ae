/// What must hold after every step. The cheap part stays on in release; the whole is for tests and simulations.
extension Arbiter {
    /// O(1), always on: a free SP with eligible work queued is kept idle only by a hold (promise P4).
    @inline(__always)
    func checkAfterDispatch() {
        guard device.permitsGrants, turn == nil, turnBeside == nil, heldFor == nil, !isPaused else { return }
        precondition(aged.isEmpty && reserved.isEmpty && shared.isEmpty, "the SP is idle while a guest may be served")
        precondition(ready.isEmpty, "the SP is idle while a launch has a command ready")
        precondition(platform.isEmpty, "the SP is idle while platform work waits")
    }

    /// O(n): everything that is kept twice agrees, every VM is where its state says, every level is within its bounds.
    /// - Returns: the first violation, in words; `nil` if all is well.
    public func violatedInvariant() -> String? {
        violatedSum() ?? violatedPlace() ?? violatedTurn() ?? violatedLevel()
    }

    private func violatedSum() -> String? {
        var weights: Int64 = 0
        var waiters = 0
        var reservedTotal = Rate.zero
        var registered: Int64 = 0
        for vm in virtualMachines where vm.isRegistered {
            registered += 1
            weights += vm.isBacklogged ? vm.weight.value : 0
            waiters += vm.isWaitingForFloor ? 1 : 0
            reservedTotal.millihertz += vm.reservation.millihertz
        }
        let backlogged = virtualMachines.count { $0.isRegistered && $0.isBacklogged }
        if backlogged != fairShare.count { return "backlogged VMs: \(fairShare.count), not \(backlogged)" }
        if weights != fairShare.sumOfWeights { return "sum of weights: \(fairShare.sumOfWeights), not \(weights)" }
        if waiters != floorWaiters { return "floor waiters: \(floorWaiters), not \(waiters)" }
        if reservedTotal != ledger.reserved { return "reserved: \(ledger.reserved), not \(reservedTotal)" }
        if registered != ledger.virtualMachines { return "VMs: \(ledger.virtualMachines), not \(registered)" }
        if reservedTotal.load(each: ledger.guestTurn) > ledger.reservable { return "more reserved than there is" }
        return nil
    }

    func violatedPlace() -> String? {
        for (slot, vm) in virtualMachines.enumerated() {
            let places =
                (aged.contains(slot) ? 1 : 0) + (reserved.contains(slot) ? 1 : 0) + (shared.contains(slot) ? 1 : 0)
            if places != (vm.phase == .queued ? 1 : 0) { return "VM \(slot) is \(vm.phase) but in \(places) parts" }
            if reserved.contains(slot) != reservedByTag.contains(slot) { return "VM \(slot) is half reserved" }
            if (vm.guest != nil) != (vm.phase != .idle) { return "VM \(slot) is \(vm.phase) with or without request" }
            if patient.contains(slot), !reserved.contains(slot) { return "VM \(slot) is patient but not reserved" }
            if sessions.contains(slot) != (vm.session != nil) { return "the session of VM \(slot) has no order" }
            let isReady = ready.contains(slot) || readyLong.contains(slot)
            if isReady != (vm.session?.command != nil) { return "the command of VM \(slot) is not in its queue" }
            if vm.session?.turnIsOutstanding == true, turn?.session != vm.session?.id {
                return "VM \(slot) believes that it has a turn"
            }
        }
        return nil
    }

    private func violatedTurn() -> String? {
        guard let turnBeside else { return nil }
        if turnBeside.guestPart == nil { return "a turn beside another is not a guest's" }
        if let turn, !turn.isWholeLaunch { return "a guest turn stands beside a turn that is no whole launch" }
        return nil
    }

    private func violatedLevel() -> String? {
        if floor.balance < floor.deepest || floor.balance > floor.most { return "the floor is at \(floor.balance)" }
        if let holder = heldFor, turn != nil || virtualMachines[holder].session == nil { return "a hold for nobody" }
        if turn == nil, turnBeside == nil, device.permitsGrants, heldFor == nil, !isPaused,
            let whole = readyLong.first, recent.first == whole
        {
            return "a whole launch waits for nobody"
        }
        return nil
    }
}
