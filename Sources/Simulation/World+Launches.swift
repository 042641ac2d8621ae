import Arbiter

/// VMMs that launch: in turns or as a whole, sound, dying, and lying.
extension World {
    mutating func clientActs(_ tenant: Int) throws(Violation) {
        guard let client = tenants[tenant].plan.launch, !tenants[tenant].launch.isDead else { return }
        guard tenants[tenant].launch.request == nil, tenants[tenant].launch.turn == nil else { return }
        guard tenants[tenant].launch.session != nil else {
            guard !isSettling, tenants[tenant].launch.begun < client.launches else { return }
            return try beginLaunch(tenant, client)
        }
        if client.onlyBegins || tenants[tenant].launch.stage == .done { return try endLaunch(tenant, client) }
        try askForNext(tenant, client)
    }

    mutating func planClient(_ tenant: Int, after wait: Nanoseconds) {
        agenda.plan(.launch(tenant: tenant, life: tenants[tenant].life), at: now + wait)
    }

    private mutating func nextGap(_ tenant: Int, _ client: LaunchClient) -> Nanoseconds {
        guard client.takesGapsInTurn else { return random.pick(client.gaps) }
        tenants[tenant].launch.gapsTaken += 1
        return client.gaps[(tenants[tenant].launch.gapsTaken - 1) % client.gaps.count]
    }

    func launchHolding(_ tenant: Int) -> Holding { tenants[tenant].plan.launch?.holding ?? Holding() }

    // MARK: Sessions

    private mutating func beginLaunch(_ tenant: Int, _ client: LaunchClient) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        let plan = LaunchPlan(
            pages: client.declaredPages, virtualCPUs: client.virtualCPUs, isWhole: client.isWhole,
            isProxy: client.isProxy)
        tell?("\(stamp) VM \(tenant) begins a launch of \(plan.pages) pages\(plan.isWhole ? ", whole" : "")")
        note(tenant, "(")
        do {
            let session = try arbiter.beginLaunch(plan, of: vm, now: now)
            checker.sessionBegan(session, plan, tenant: tenant)
            tenants[tenant].launch.begun += 1
            tenants[tenant].launch.begin(session, client)
            planClient(tenant, after: client.onlyBegins ? client.pause : nextGap(tenant, client))
        } catch {
            guard case .busy(let busy) = error else {
                throw checker.broken(.mistake, "a sound launch was an error: \(error)")
            }
            tell?("\(stamp)   BUSY, \(busy.reason)")
            planClient(tenant, after: max(busy.retryAfter, .milliseconds(1)))
        }
        try settle()
    }

    private mutating func endLaunch(_ tenant: Int, _ client: LaunchClient) throws(Violation) {
        guard let vm = tenants[tenant].vm, let session = tenants[tenant].launch.session else { return }
        tell?("\(stamp) VM \(tenant) ends its launch")
        note(tenant, ")")
        do {
            try arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
            try checker.sessionClosed(tenant: tenant)
        } catch let error as RequestError {
            // The session may have ended by its wall clock in this very step.
            guard error == .noSession, decisions.contains(where: { $0.ends(session) }) else {
                throw checker.broken(.mistake, "the end of a session was refused: \(error)")
            }
        } catch {
            throw error as! Violation
        }
        launchWasEnded(tenant)
        planClient(tenant, after: client.pause)
        try settle()
    }

    mutating func launchWasEnded(_ tenant: Int) { tenants[tenant].launch.end() }

    // MARK: Commands

    /// What comes next, as the client sees it.
    private func nextCommand(_ tenant: Int, _ client: LaunchClient) -> (kind: CommandKind, units: UInt32) {
        let state = tenants[tenant].launch
        return switch state.stage {
        case .start: (.launchStart, 1)
        case .pages: (.launchUpdate, min(state.pagesLeft, client.pagesAtOnce))
        case .finish, .done: (.launchFinish, client.virtualCPUs)
        case .whole: (.wholeLaunch, client.truePages)
        }
    }

    private mutating func askForNext(_ tenant: Int, _ client: LaunchClient) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        let (kind, units) = nextCommand(tenant, client)
        let id = RequestID(origin: tenants[tenant].launchOrigin, tag: newTag())
        tell?("\(stamp) VM \(tenant) asks \(id.tag): \(kind), \(units)")
        noteAsks(tenant, kind)
        var refused: RequestError?
        do {
            try arbiter.acquire(
                kind, units: units, maxWait: told(client.maxWait), request: id, of: vm, now: now, into: &decisions)
        } catch { refused = error }
        try noteAsked(id, kind, units, tenant, client, refused)
        try settle()
    }

    private mutating func noteAsked(
        _ id: RequestID, _ kind: CommandKind, _ units: UInt32, _ tenant: Int, _ client: LaunchClient,
        _ refused: RequestError?
    ) throws(Violation) {
        if let refused {
            guard refused == .noSession else {
                throw checker.broken(.mistake, "a sound launch command was an error: \(refused)")
            }
            // Its session ended by the wall clock; the client may not have heard of it yet.
            return launchWasEnded(tenant)
        }
        // The Arbiter has come to this moment by now; its bucket is as it was when it was asked.
        checker.launchCommand(tenant: tenant, floorBalance: arbiter.floorBalance)
        checker.asked(id, kind, units: units, maxWait: client.maxWait, tenant: tenant)
        tenants[tenant].launch.request = id
        guard random.chance(perMille: client.cancels) else { return }
        let after = Nanoseconds(random.drawByMagnitude(1...100_000_000))
        agenda.plan(.cancel(id, tenant: tenant, life: tenants[tenant].life), at: now + after)
    }

    mutating func clientReleases(_ held: HeldTurn) throws(Violation) {
        guard let tenant = held.tenant else { return }
        guard held.life == tenants[tenant].life, let vm = tenants[tenant].vm, let client = tenants[tenant].plan.launch
        else {
            // A proxy's late word for a VM that is gone.
            try released(held, releaseTurn(held, TurnOutcome(unitsDone: held.units)))
            return try settle()
        }
        if tenants[tenant].launch.turn == held.id { tenants[tenant].launch.advance(held.kind, units: held.units) }
        if random.chance(perMille: client.crashes) { return clientDies(tenant, held) }
        let outcome = TurnOutcome(
            unitsDone: held.units, reportsDeviceTrouble: random.chance(perMille: client.reportsTrouble))
        let isLast = tenants[tenant].launch.stage == .done || tenants[tenant].launch.session == nil
        if client.joinsMessages, !isLast, !isSettling {
            try releaseAndAsk(held, outcome, vm, tenant, client)
        } else {
            try released(held, releaseTurn(held, outcome))
            if !(isLast && client.neverEnds) { planClient(tenant, after: nextGap(tenant, client)) }
        }
        try settle()
    }

    private mutating func releaseAndAsk(
        _ held: HeldTurn, _ outcome: TurnOutcome, _ vm: VMID, _ tenant: Int, _ client: LaunchClient
    ) throws(Violation) {
        let (kind, units) = nextCommand(tenant, client)
        let id = RequestID(origin: tenants[tenant].launchOrigin, tag: newTag())
        tell?("\(stamp) VM \(tenant) returns turn \(held.id.number) and asks \(id.tag): \(kind), \(units)")
        noteAsks(tenant, kind, withRelease: true)
        var refused: RequestError?
        do {
            try arbiter.releaseAndAcquire(
                held.id, outcome, kind, units: units, maxWait: told(client.maxWait), request: id, of: vm, now: now,
                into: &decisions)
        } catch { refused = error }
        if refused == .unknownTurn { return try released(held, refused) }
        try released(held, nil)
        try noteAsked(id, kind, units, tenant, client, refused)
    }

    /// It dies with its turn. Its connection breaks after a while, or never.
    private mutating func clientDies(_ tenant: Int, _ held: HeldTurn) {
        tell?("\(stamp) the client of VM \(tenant) dies")
        tenants[tenant].launch.isDead = true
        var silent = held
        silent.endsAt = nil
        turns.append(silent)
        guard random.chance(perMille: 700) else { return }
        let after = Nanoseconds(random.drawByMagnitude(1_000...4_000_000_000))
        agenda.plan(.hangUp(tenant: tenant, life: tenants[tenant].life), at: now + after)
    }

    mutating func clientHeardBusy(_ tenant: Int, _ busy: Busy) {
        tenants[tenant].launch.request = nil
        guard !isSettling else { return }
        planClient(tenant, after: max(busy.retryAfter, .milliseconds(1)))
    }
}

/// Where a launching client stands.
struct LaunchState {
    enum Stage { case start, pages, finish, whole, done }

    var session: SessionID?
    var stage = Stage.start
    var pagesLeft: UInt32 = 0
    var begun = 0
    var gapsTaken = 0
    var request: RequestID?
    var turn: TurnID?
    var granted: UInt32 = 0
    var isDead = false

    mutating func begin(_ id: SessionID, _ client: LaunchClient) {
        session = id
        stage = client.isWhole ? .whole : .start
        pagesLeft = client.truePages
    }

    mutating func end() {
        session = nil
        request = nil
    }

    /// A command is done.
    mutating func advance(_ kind: CommandKind, units: UInt32) {
        turn = nil
        switch kind {
        case .launchStart: stage = pagesLeft > 0 ? .pages : .finish
        case .launchUpdate:
            pagesLeft -= min(units, pagesLeft)
            if pagesLeft == 0 { stage = .finish }
        default: stage = .done
        }
    }
}

extension Decision {
    func ends(_ session: SessionID) -> Bool {
        if case .sessionEnded(session, _, _) = self { true } else { false }
    }
}
