/// The rules: who is next.
extension Arbiter {
    /// Grants what can be granted now, and finds out when to look again.
    mutating func dispatch(_ decisions: inout [Decision]) {
        noticeOverload(&decisions)
        heldFor = nil
        dispatchAgainAt = nil
        // At most two turns can start: one, and a guest's beside a whole launch.
        while grantNext(&decisions) {}
        if wasOverloaded, let ends = overload.ends(after: clock), !reserved.isEmpty { wake(at: ends) }
        announceNewcomer(&decisions)
        foretellWake()
        checkAfterDispatch()
    }

    func wakeIsUseful(_ instant: Instant) -> Bool { instant < .distantFuture }

    mutating func wake(at instant: Instant) {
        dispatchAgainAt = min(dispatchAgainAt ?? .distantFuture, instant)
    }

    /// Makes the one choice that the rules allow now, if any. Returns whether it granted a turn.
    private mutating func grantNext(_ decisions: inout [Decision]) -> Bool {
        guard device.permitsGrants, !isPaused else { return false }
        guard turn == nil else { return grantBesideWholeLaunch(&decisions) }
        guard turnBeside == nil else { return false }
        if grantUrgentPlatform(&decisions) { return true }
        let launch = nextLaunch()
        if launch.usesSP, grantByFloor(&decisions) { return true }
        switch launch {
        case .ready(let slot):
            grantLaunch(slot, &decisions)
            return true
        case .hold(let slot, let until):
            heldFor = slot
            wake(at: until)
            return false
        case .none:
            return grantPlatform(&decisions) || grantGuest(&decisions)
        }
    }

    // MARK: Rules 3 and 4: launches and holds

    enum NextLaunch {
        case ready(Int)
        case hold(Int, until: Instant)
        case none

        var usesSP: Bool { if case .none = self { false } else { true } }
    }

    /// The first session with a command ready, unless an earlier one holds the SP.
    private mutating func nextLaunch() -> NextLaunch {
        let candidate = firstReady()
        if let holder = firstHolder() {
            if let candidate, orders(candidate, before: holder) { return .ready(candidate) }
            return .hold(holder, until: holdEnd(holder))
        }
        guard let candidate else { return .none }
        return .ready(candidate)
    }

    @inline(__always)
    private func firstReady() -> Int? {
        let divisible = ready.first
        guard let whole = readyLong.first, mayStartLong(whole) else { return divisible }
        guard let divisible else { return whole }
        return orders(whole, before: divisible) ? whole : divisible
    }

    /// A whole launch starts only when no earlier session is open that issued a command within the last second.
    @inline(__always)
    private func mayStartLong(_ slot: Int) -> Bool {
        guard let earliest = recent.first else { return true }
        return earliest == slot || !orders(earliest, before: slot)
    }

    private mutating func firstHolder() -> Int? {
        while let slot = holding.first {
            if holdEnd(slot) > clock { return slot }
            holding.remove(slot)
        }
        return nil
    }

    @inline(__always)
    private func holdEnd(_ slot: Int) -> Instant {
        guard let session = virtualMachines[slot].session else { return .distantPast }
        return anythingElseWaits ? min(session.holdEnds, clock + session.holdAllowance) : session.holdEnds
    }

    @inline(__always)
    func orders(_ left: Int, before right: Int) -> Bool {
        guard let a = virtualMachines[left].session, let b = virtualMachines[right].session else { return false }
        return a.orderKey != b.orderKey ? a.orderKey < b.orderKey : a.orderTie < b.orderTie
    }

    /// Whether the SP idles in a hold at anyone's cost.
    @inline(__always)
    var anythingElseWaits: Bool {
        !shared.isEmpty || !reserved.isEmpty || !aged.isEmpty || !ready.isEmpty || !readyLong.isEmpty
            || !platform.isEmpty
    }

    // MARK: Rule 2: the floor

    /// The bucket must hold a planned turn, whatever this one is predicted to take, and is charged what it takes. Were
    /// less enough for a turn that then takes longer, guests would be owed more at the next than the floor promises.
    private mutating func grantByFloor(_ decisions: inout [Decision]) -> Bool {
        guard let (slot, part) = firstGuest() else { return false }
        guard floor.covers(ledger.guestTurn) else {
            wake(at: clock + floor.timeToCover(ledger.guestTurn))
            return false
        }
        totals.floorTurns += 1
        grantGuest(slot, part, byFloor: true, beside: false, &decisions)
        return true
    }

    /// Beside a whole launch, one guest turn at a time, when the floor says so. It waits for one page at most.
    private mutating func grantBesideWholeLaunch(_ decisions: inout [Decision]) -> Bool {
        guard let turn, turn.isWholeLaunch, turn.overdueSince == nil, turnBeside == nil else { return false }
        guard let (slot, part) = firstGuest() else { return false }
        guard floor.covers(ledger.guestTurn) else {
            wake(at: clock + floor.timeToCover(ledger.guestTurn))
            return false
        }
        totals.floorTurns += 1
        grantGuest(slot, part, byFloor: true, beside: true, &decisions)
        return true
    }

    // MARK: Rule 6: guests

    private mutating func grantGuest(_ decisions: inout [Decision]) -> Bool {
        guard let (slot, part) = firstGuest() else { return false }
        grantGuest(slot, part, byFloor: false, beside: false, &decisions)
        return true
    }

    /// The first guest request in the order of rule 6.
    @inline(__always)
    func firstGuest() -> (slot: Int, part: GuestPart)? {
        if let slot = aged.first { return (slot, .aged) }
        if !wasOverloaded, let slot = reserved.first { return (slot, .reserved) }
        // While reservations are suspended all go by their tags.
        guard let reservedFirst = wasOverloaded ? reservedByTag.first : nil else {
            guard let slot = shared.first else { return nil }
            return (slot, .shared)
        }
        guard let sharedFirst = shared.first else { return (reservedFirst, .shared) }
        let difference = reservedByTag.key(of: reservedFirst) &- shared.key(of: sharedFirst)
        return (difference <= 0 ? reservedFirst : sharedFirst, .shared)
    }
}
