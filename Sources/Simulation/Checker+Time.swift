import Arbiter

/// What must hold whenever the Arbiter has nothing more to do for now.
extension Checker {
    /// Time passes: nothing has changed since the last step.
    mutating func pass(to now: Instant) throws(Violation) {
        let elapsed = now - clock
        guard elapsed > .zero else { return }
        for turn in turns {
            largest.note(now - turn.grantedAt, turn)
            // The promises are stated for turns that come back before their lease ends.
            if now >= turn.grantedAt + turn.lease { isHonest = false }
        }
        if isHonest {
            try floorPasses(elapsed)
            try idlePasses(elapsed)
            launchWorkPasses(elapsed)
        }
        clock = now
        if isHonest, fairness.isDue(at: clock) { try fairnessPasses() }
    }

    mutating func settled(nextWake: Instant?) throws(Violation) {
        counts.steps += 1
        open.removeWithdrawn()
        if let nextWake, nextWake <= clock { throw broken(.wake, "the next wake-up is not in the future") }
        try staysBusy()
        try keepsTimeOuts(nextWake: nextWake)
    }

    private mutating func keepsTimeOuts(nextWake: Instant?) throws(Violation) {
        for turn in turns where clock >= turn.grantedAt + turn.lease && !probeIsUnderWay {
            throw broken(.timeOut, "the lease of turn \(turn.id.number) ended, and no probe was asked for")
        }
        let wake = nextWake ?? .distantFuture
        guard clock >= open.nextTimeOut || wake > open.nextTimeOut, !open.isEmpty else { return }
        for request in open.entries { try keepsTimeOut(request, wake) }
        open.findNextTimeOut()
    }

    private func keepsTimeOut(_ request: OpenRequest, _ wake: Instant) throws(Violation) {
        if clock >= request.deadline {
            throw broken(.timeOut, "request \(request.id.tag) outlived its client's time-out")
        }
        if request.deadline < .distantFuture, wake > request.deadline {
            throw broken(.wake, "no wake-up before the client's time-out of request \(request.id.tag)")
        }
        if clock >= request.timesOut {
            throw broken(.timeOut, "guest request \(request.id.tag) waited \((clock - request.arrivedAt).count) ns")
        }
    }

    /// Launch work above what drains at the reserve: P6 presupposes that it stays below β_L.
    private mutating func launchWorkPasses(_ elapsed: Nanoseconds) {
        let isWorking =
            turns.contains { $0.commandClass == .launch } || (turns.isEmpty && !open.isEmpty && mayBeHeld)
        launchWork.pass(elapsed, isWorking: isWorking, configuration)
        if launchWork.isExceeded(configuration) { launchWork.wasExceeded = true }
    }
}

/// What launches used and held the SP for above their reserve, in thousandths of a nanosecond.
struct LaunchWork {
    private var level: Int64 = 0
    var wasExceeded = false

    mutating func pass(_ elapsed: Nanoseconds, isWorking: Bool, _ configuration: Configuration) {
        let gained = isWorking ? elapsed.count * 1_000 : 0
        let drained = elapsed.count * (configuration.launchReservePerSecond.count / 1_000_000)
        level = max(level + gained - drained, 0)
    }

    /// The Arbiter counts whole nanoseconds: nearer than a microsecond to the bound nothing is said.
    func isExceeded(_ configuration: Configuration) -> Bool {
        level > (configuration.launchBurst.count - 1_000) * 1_000
    }
}
