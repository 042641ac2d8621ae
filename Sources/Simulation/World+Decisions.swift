import Arbiter

/// What came out of a step: first to the checker, then to those whom it concerns.
extension World {
    mutating func settle() throws(Violation) {
        mutate()
        for decision in decisions {
            tell?("\(stamp)   \(decision)")
            try checker.decided(decision)
        }
        try checkFloorTurns()
        try checker.settled(nextWake: try wakeAfterSettling())
        if checker.counts.steps % scenario.checksInvariantsEvery == 0, let violated = arbiter.violatedInvariant() {
            throw checker.broken(.invariant, violated)
        }
        // Two buffers change places: nothing is allocated in a step.
        swap(&decisions, &concerned)
        decisions.removeAll(keepingCapacity: true)
        for decision in concerned { try hear(decision) }
    }

    /// A wake-up that is due at once must have brought something about when it was answered.
    private mutating func wakeAfterSettling() throws(Violation) -> Instant? {
        var rounds = 0
        while let wake = nextWake, wake <= checker.clock, rounds < 3 {
            let before = decisions.count
            arbiter.advance(to: now, into: &decisions)
            for decision in decisions[before...] {
                tell?("\(stamp)   \(decision)")
                try checker.decided(decision)
            }
            rounds += 1
        }
        return nextWake
    }

    private mutating func checkFloorTurns() throws(Violation) {
        guard !checker.launching.isEmpty || checker.floorWindow.grantsInHolds > 0 else { return }
        let floorTurnsNow = arbiter.totalsSoFar.floorTurns
        if checker.floorWindow.grantsInHolds > floorTurnsNow - floorTurns {
            throw checker.broken(.hold, "a guest came into a launch's hold, and not by the floor")
        }
        checker.floorWindow.grantsInHolds = 0
        floorTurns = floorTurnsNow
    }

    private mutating func hear(_ decision: Decision) throws(Violation) {
        switch decision {
        case .granted(let id, let vm, let grant):
            note(tenant(of: vm), "=", .isGranted)
            begin(grant, of: id, vm)
        case .busy(let id, let vm, let busy): try heardBusy(id, vm, busy)
        case .failed(_, let vm, _), .sessionEnded(_, let vm, _):
            guard let tenant = tenant(of: vm) else { return }
            launchWasEnded(tenant)
        case .revoked(let turn, _, _):
            turns.removeAll { $0.id == turn }
        case .probe:
            planProbe()
        case .queued, .deviceState:
            break
        }
    }

    private mutating func heardBusy(_ id: RequestID, _ vm: VMID, _ busy: Busy) throws(Violation) {
        platformRequests.removeAll { $0 == id }
        guard let tenant = tenant(of: vm) else { return }
        note(tenant, "B", .isTold)
        if tenants[tenant].guest.request == id {
            try guestHeardBusy(tenant, busy)
        } else if tenants[tenant].launch.request == id {
            clientHeardBusy(tenant, busy)
        }
    }

    // MARK: The SP

    /// The holder issues its command. The SP is serial, also when a turn was passed over whose command still runs.
    private mutating func begin(_ grant: Grant, of id: RequestID, _ vm: VMID) {
        platformRequests.removeAll { $0 == id }
        let tenant = tenant(of: vm)
        let service = drawService(grant.kind, units: grant.units)
        let holding = tenant.map {
            grant.kind.commandClass == .guest ? tenants[$0].plan.guest.holding : launchHolding($0)
        }
        var ends: Instant
        if let whole = turns.firstIndex(where: { $0.kind == .wholeLaunch }), grant.kind.commandClass == .guest {
            // It waits for the page in service, if that is not the last, and the rest of the launch waits for it.
            let page = Nanoseconds(random.below(drawService(.launchUpdate, units: 1).count))
            let left = turns[whole].endsAt.map { max($0 - now, .zero) } ?? page
            ends = now + min(page, left) + service
            turns[whole].endsAt = turns[whole].endsAt.map { $0 + service }
            spIsFreeAt = spIsFreeAt + service
        } else {
            ends = max(now, spIsFreeAt) + service
            spIsFreeAt = ends
        }
        if let holding, random.chance(perMille: holding.late) { ends += holding.lateness }
        let never = holding.map { random.chance(perMille: $0.never) } ?? false
        turns.append(
            HeldTurn(
                id: grant.turn, tenant: tenant, life: tenant.map { tenants[$0].life } ?? 0, vm: vm, kind: grant.kind,
                units: grant.units, endsAt: never ? nil : ends, service: service))
        if !never { agenda.plan(.served(grant.turn), at: ends) }
        if let tenant { heardGrant(tenant, grant) }
    }

    private mutating func heardGrant(_ tenant: Int, _ grant: Grant) {
        switch grant.kind.commandClass {
        case .guest: tenants[tenant].guest.request = nil
        case .launch:
            tenants[tenant].launch.request = nil
            tenants[tenant].launch.turn = grant.turn
            tenants[tenant].launch.granted = grant.units
        case .platform: break
        }
    }

    private mutating func drawService(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        scenario.service.draw(kind, units: units, scenario.configuration.planningCosts, &random)
    }

    mutating func served(_ turn: TurnID) throws(Violation) {
        guard let index = turns.firstIndex(where: { $0.id == turn }), let ends = turns[index].endsAt else { return }
        guard ends <= now else { return agenda.plan(.served(turn), at: ends) }
        let held = turns.remove(at: index)
        switch held.kind.commandClass {
        case .guest: try guestReleases(held)
        case .launch: try clientReleases(held)
        case .platform: try platformReleases(held)
        }
    }

    /// What a release came to, whoever made it.
    mutating func released(_ held: HeldTurn, _ error: RequestError?) throws(Violation) {
        if error == nil, overlooksRelease() { return }
        guard let error else { return try checker.ended(held.id, service: held.service) }
        // A turn that was revoked, or whose VM or connection was gone, has ended before.
        guard error == .unknownTurn || error == .unknownVM, !checker.turns.contains(where: { $0.id == held.id }) else {
            throw checker.broken(.mistake, "the release of turn \(held.id.number) was refused: \(error)")
        }
    }
}
