import Arbiter

/// Launch sessions, and P1 and P2: what each has done, and what those before it have done since it began.
extension Checker {
    // MARK: Begin and end

    mutating func sessionBegan(_ id: SessionID, _ plan: LaunchPlan, tenant: Int) {
        sessionsBegun += 1
        var session = SessionView(id: id, plan: plan, order: sessionsBegun, lastActivity: clock)
        session.isFirstInLine = launching.isEmpty
        tenants[tenant].session = session
        tenants[tenant].hasLaunched = true
        launching.append(tenant)
    }

    mutating func sessionClosed(tenant: Int) throws(Violation) {
        guard let session = tenants[tenant].session else { return }
        counts.launchesDone += 1
        let gap = session.lastTurnEnded?.distance(to: clock) ?? .zero
        countIdle(of: session, isHeld: isHeld(gap, session, tenant))
        try promisedLaunchBound(session)
        forgetSession(tenant)
    }

    /// It ended otherwise than by its client's word: what it kept others waiting for is not known.
    mutating func sessionVanished(_ tenant: Int) {
        guard let session = tenants[tenant].session else { return }
        for other in launching { if isBehind(other, session) { tenants[other].session?.isIrregular = true } }
        forgetSession(tenant)
    }

    private mutating func forgetSession(_ tenant: Int) {
        tenants[tenant].session = nil
        launching.removeAll { $0 == tenant }
    }

    // MARK: Commands

    /// Before the command is asked for.
    ///
    /// - Parameter floorBalance: needed at the first command only.
    mutating func launchCommand(tenant: Int, floorBalance: Nanoseconds) {
        guard let session = tenants[tenant].session else { return }
        if session.lastActivity.distance(to: clock) >= Limits.sessionIdle {
            countIdle(of: session, isHeld: false)
            goesToTail(tenant)
        }
        if session.firstCommand == nil {
            tenants[tenant].session?.firstCommand = clock
            tenants[tenant].session?.floorAtStart = floorBalance
            if let newest = turns.last { tenants[tenant].session?.residualTurns = newest.id }
        } else if let gap = session.lastTurnEnded?.distance(to: clock) {
            noteGap(gap, tenant)
        }
        tenants[tenant].session?.commandIsOpen = true
        tenants[tenant].session?.hasAskedSince = true
        tenants[tenant].session?.lastActivity = clock
    }

    private mutating func noteGap(_ gap: Nanoseconds, _ tenant: Int) {
        guard let session = tenants[tenant].session else { return }
        let isHeld = isHeld(gap, session, tenant)
        tenants[tenant].gaps.record(gap)
        tenants[tenant].session?.own.idle += gap
        if !isHeld { tenants[tenant].session?.own.gapsNotHeld += 1 }
        // One that went to the tail was counted before it did.
        if gap < Limits.sessionIdle { countIdle(of: session, isHeld: isHeld) }
    }

    /// Whether a hold covered the whole gap, also if all its gaps so far had been at others' cost.
    private func isHeld(_ gap: Nanoseconds, _ session: SessionView, _ tenant: Int) -> Bool {
        gap < holdLength(tenant) && session.own.idle + gap < session.heldIdleAllowed
    }

    private mutating func goesToTail(_ tenant: Int) {
        sessionsBegun += 1
        tenants[tenant].session?.order = sessionsBegun
        tenants[tenant].session?.wentToTail = true
        tenants[tenant].session?.isFirstInLine = false
    }

    mutating func launchTurnBegan(_ tenant: Int, _ kind: CommandKind, units: UInt32) {
        tenants[tenant].session?.commandIsOpen = false
        tenants[tenant].session?.turnIsOutstanding = true
        tenants[tenant].session?.lastActivity = clock
        if kind != .launchStart, kind != .launchFinish {
            tenants[tenant].session?.pagesGranted += Int64(units)
        }
    }

    mutating func launchTurnEnded(_ tenant: Int, _ turn: OpenTurn, service: Nanoseconds, wasOverdue: Bool) {
        tenants[tenant].session?.turnEnded(at: clock, service: service, wasOverdue: wasOverdue)
        guard let session = tenants[tenant].session else { return }
        for other in launching where isBehind(other, session) {
            // What was in service at its first command is counted there.
            guard let first = tenants[other].session?.firstCommand, turn.grantedAt >= first else { continue }
            tenants[other].session?.ahead.service += service
        }
        if session.isOverDeclared { goesToTail(tenant) }
    }

    mutating func noteResidual(of turn: OpenTurn) {
        for tenant in launching {
            guard let session = tenants[tenant].session, let first = session.firstCommand,
                turn.id.number <= session.residualTurns.number, turn.grantedAt <= first
            else { continue }
            tenants[tenant].session?.residual = clock - first
        }
    }

    // MARK: Those before

    private func isBehind(_ other: Int, _ session: SessionView) -> Bool {
        tenants[other].session.map { $0.order > session.order } ?? false
    }

    /// A session was idle since then: those behind it may have had to wait for it, the longest for a second.
    private mutating func countIdle(of session: SessionView, isHeld: Bool) {
        for other in launching where isBehind(other, session) {
            let overlap = idleOverlap(of: session, with: other)
            guard overlap > .zero else { continue }
            tenants[other].session?.ahead.idle += overlap
            if !isHeld { tenants[other].session?.ahead.gapsNotHeld += 1 }
        }
    }

    private func idleOverlap(of session: SessionView, with other: Int) -> Nanoseconds {
        guard let ended = session.lastTurnEnded, let first = tenants[other].session?.firstCommand else { return .zero }
        return max(min(clock, ended + Limits.sessionIdle) - max(ended, first), .zero)
    }

    /// What sessions that are idle now have kept this one waiting for, and have not been counted for.
    private func idleNow(before tenant: Int, _ session: SessionView) -> LaunchSums {
        var sums = LaunchSums()
        for other in launching {
            guard let before = tenants[other].session, before.order < session.order, !before.hasAskedSince,
                !before.turnIsOutstanding
            else { continue }
            let overlap = idleOverlap(of: before, with: tenant)
            guard overlap > .zero else { continue }
            sums.idle += overlap
            sums.gapsNotHeld += 1
        }
        return sums
    }

    // MARK: The bounds

    /// - Note: called while the session is still the tenant's.
    private mutating func promisedLaunchBound(_ session: SessionView) throws(Violation) {
        guard isHonest, configuration.launchOrder == .firstComeFirstServed, !session.wentToTail,
            !session.isIrregular, !session.isOverDeclared, !session.wasOverdue,
            let first = session.firstCommand, let last = session.lastTurnEnded
        else { return }
        let (promise, rule): (Promise, Rule) =
            session.isFirstInLine ? (.launch, .launchBound) : (.storm, .stormBound)
        var sums = session.own
        if promise == .storm, let tenant = launching.first(where: { tenants[$0].session?.order == session.order }) {
            sums = sums + session.ahead + idleNow(before: tenant, session)
        }
        let took = last - first
        let bound = launchBound(sums, session, took: took)
        worst.note(promise, took.count, of: bound.count)
        if took > bound {
            throw broken(
                rule,
                "a launch took \(took.count) ns, bound \(bound.count): B \(sums.service.count), "
                    + "Z \(sums.idle.count), s_r \(session.residual.count), m \(sums.gapsNotHeld), "
                    + "c₀ \(session.floorAtStart.count)")
        }
    }

    /// base = B + Z + s_r + m·max(s_g, s_o, s_l) + s_o·⌈T/1 s⌉; max(base, (base + c₀ + s_g)/(1 − φ))
    private func launchBound(_ sums: LaunchSums, _ session: SessionView, took: Nanoseconds) -> Nanoseconds {
        let seconds = (took.count + 999_999_999) / 1_000_000_000
        let inGap = max(largest.guest, largest.platform, largest.launch)
        let base =
            sums.service + sums.idle + session.residual + inGap * sums.gapsNotHeld + largest.platform * seconds
        let unfloored = 1_000 - configuration.floorShare.perMille
        let withFloor = Nanoseconds((base + session.floorAtStart + largest.guest).count * 1_000 / unfloored + 1)
        return max(base, withFloor)
    }
}
