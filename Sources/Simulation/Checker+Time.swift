import Arbiter

/// What must hold whenever the Arbiter has nothing more to do for now.
extension Checker {
    /// Time passes: nothing has changed since the last step.
    mutating func pass(to now: Instant) throws(Violation) {
        let elapsed = now - clock
        guard elapsed > .zero else { return }
        for turn in turns { largest.note(now - turn.grantedAt, turn) }
        try floorPasses(elapsed)
        launchWorkPasses(elapsed)
        clock = now
    }

    mutating func settled(nextWake: Instant?) throws(Violation) {
        counts.steps += 1
        open.removeAll { $0.isWithdrawn }
        if let nextWake, nextWake <= clock { throw broken(.wake, "the next wake-up is not in the future") }
        try staysBusy()
        try keepsTimeOuts(nextWake: nextWake)
    }

    // MARK: P4

    /// Requests that nothing but the rules' own order keeps waiting.
    private func isEligible(_ request: OpenRequest) -> Bool {
        guard request.commandClass == .guest, let tenant = request.tenant else { return true }
        return tenants[tenant].registration.limit == nil
    }

    private func staysBusy() throws(Violation) {
        guard turns.isEmpty, deviceMayBeUsed else { return }
        let waiting = open.filter(isEligible)
        guard !waiting.isEmpty, !isHeld else { return }
        let areAllWhole = waiting.allSatisfy { $0.kind == .wholeLaunch || isLongFinish($0) }
        guard areAllWhole, anotherSessionIsRecent(than: waiting) else {
            throw broken(.workConserving, "the SP is idle while \(waiting.map(\.kind)) wait")
        }
    }

    private func isLongFinish(_ request: OpenRequest) -> Bool {
        request.kind == .launchFinish && request.units > configuration.chunkPages
    }

    private var isHeld: Bool {
        tenants.contains { tenant in
            guard let session = tenant.session, !session.commandIsOpen, !session.turnIsOutstanding,
                let ended = session.lastTurnEnded
            else { return false }
            return clock - ended < .milliseconds(10)
        }
    }

    private func anotherSessionIsRecent(than waiting: [OpenRequest]) -> Bool {
        tenants.indices.contains { tenant in
            guard let session = tenants[tenant].session, !waiting.contains(where: { $0.tenant == tenant }) else {
                return false
            }
            return clock - session.lastActivity < .seconds(1)
        }
    }

    // MARK: Time-outs

    private func keepsTimeOuts(nextWake: Instant?) throws(Violation) {
        for request in open {
            if clock >= request.deadline {
                throw broken(.timeOut, "request \(request.id.tag) outlived its client's time-out")
            }
            if request.deadline < .distantFuture, nextWake.map({ $0 > request.deadline }) ?? true {
                throw broken(.wake, "no wake-up before the client's time-out of request \(request.id.tag)")
            }
            guard request.commandClass == .guest, let tenant = request.tenant else { continue }
            if clock >= request.arrivedAt + longestWait(tenant, request) {
                throw broken(.timeOut, "guest request \(request.id.tag) waited \((clock - request.arrivedAt).count) ns")
            }
        }
        for turn in turns where clock >= turn.grantedAt + turn.lease && !probeIsUnderWay {
            throw broken(.timeOut, "the lease of turn \(turn.id.number) ended, and no probe was asked for")
        }
    }

    /// How long a guest's request may wait, where the rules say it without knowing any level.
    private func longestWait(_ tenant: Int, _ request: OpenRequest) -> Nanoseconds {
        let view = tenants[tenant]
        let mayAge = clock - request.firstAttempt >= Limits.agedAfter
        guard view.registration.retryPolicy == .linux, !mayAge else { return .seconds(1_000_000) }
        // A request that aged while it waited is given the reserved wait once more.
        return view.reservation == .zero ? view.guestWaitMax + Nanoseconds(1) : .seconds(1_000_000)
    }

    // MARK: Levels

    /// Launch work above what drains at the reserve, in thousandths of a nanosecond: P6 presupposes that it stays
    /// below β_L.
    private mutating func launchWorkPasses(_ elapsed: Nanoseconds) {
        let isWorking = turns.contains { $0.kind.commandClass == .launch } || (turns.isEmpty && isHeld && !open.isEmpty)
        let gained = isWorking ? elapsed.count * 1_000 : 0
        let drained = elapsed.count * (configuration.launchReservePerSecond.count / 1_000_000)
        launchWork = max(launchWork + gained - drained, 0)
        // The Arbiter counts whole nanoseconds: nearer than a microsecond to the bound nothing is said.
        if launchWork > (configuration.launchBurst.count - 1_000) * 1_000 { launchWorkWasExceeded = true }
    }
}
