import Arbiter
import SPModel

/// Turns: what the policy decides, and what it leaves idle.
extension SimulatedHost {
    /// Everything that follows at this instant from what just happened.
    mutating func settle() {
        switch plan.policy {
        case .mutex, .rateLimit: break
        case .priority: grantByPriority()
        case .spschedd: hearDecisions()
        }
    }

    // MARK: The Arbiter

    private mutating func hearDecisions() {
        // Its account of holds must reach up to now, also when it was not asked anything.
        if let gap, gap.since < now { arbiter.advance(to: now, into: &decisions) }
        var index = 0
        while index < decisions.count {
            hear(decisions[index])
            index += 1
        }
        decisions.removeAll(keepingCapacity: true)
        noteGap()
    }

    private mutating func hear(_ decision: Decision) {
        switch decision {
        case .granted(let request, _, let grant): heardGrant(request, grant)
        case .busy(let request, _, _): heardBusy(request)
        case .failed(let request, _, _): heardFailed(request)
        case .sessionEnded(_, let vm, _):
            if let place = launches.firstIndex(where: { $0.vm == vm && $0.stage != .free }) { launchWasEnded(place) }
        case .revoked(_, _, let origin): heardRevoked(origin)
        case .probe: sendProbe()
        case .queued, .deviceState: break
        }
    }

    private mutating func heardGrant(_ request: RequestID, _ grant: Grant) {
        waiting -= 1
        if grant.kind == .wholeLaunch { wholesWaiting -= 1 }
        if let guest = Origin.guest(of: request.origin) {
            turnsOutstanding += 1
            wasGranted(guest, grant.turn)
        } else if let place = launchPlace(request.origin) {
            turnsOutstanding += 1
            launchWasGranted(place, grant.turn, units: grant.units)
        }
    }

    private mutating func heardBusy(_ request: RequestID) {
        waiting -= 1
        if let guest = Origin.guest(of: request.origin) {
            wasRefused(guest)
        } else if let place = launchPlace(request.origin) {
            if launchGroups[launches[place].group].isWhole { wholesWaiting -= 1 }
            launchWasRefused(place)
        }
    }

    private mutating func heardFailed(_ request: RequestID) {
        waiting -= 1
        guard let place = launchPlace(request.origin) else { return }
        if launchGroups[launches[place].group].isWhole { wholesWaiting -= 1 }
        launchWasEnded(place)
    }

    /// The lease was over and the SP answered a probe: the turn is somebody else's, though its command may still run.
    private mutating func heardRevoked(_ origin: UInt64) {
        turnsOutstanding -= 1
        device.revoked += 1
        if let guest = Origin.guest(of: origin) {
            guests[guest].turn = nil
        } else if let place = launchPlace(origin) {
            launches[place].turn = nil
        }
    }

    mutating func release(_ turn: TurnID, _ outcome: TurnOutcome, of vm: VMID) {
        turnsOutstanding -= 1
        do {
            try arbiter.release(turn, outcome, of: vm, now: now, into: &decisions)
        } catch {
            preconditionFailure("the release of a turn was a mistake: \(error)")
        }
    }

    /// The place of a launch that is still the one that `origin` names.
    func launchPlace(_ origin: UInt64) -> Int? {
        guard let (place, serial) = Origin.launch(of: origin), launches[place].serial == serial else { return nil }
        return place
    }

    // MARK: Probes

    private mutating func sendProbe() {
        device.probes += 1
        guard let status = CommandSequence(kind: .platformStatus) else { return }
        processor.submit(status, origin: Origin.probe, tag: 0, at: now, into: &completions)
    }

    mutating func probeReturned(_ completion: SecureProcessor.Completion) {
        let outcome: ProbeOutcome = completion.error?.isOfDevice == true ? .dead : .returned
        arbiter.probeReturned(outcome, now: now, into: &decisions)
    }

    // MARK: The baseline

    private mutating func grantByPriority() {
        while let asker = priority.next(now: now) {
            waiting -= 1
            turnsOutstanding += 1
            switch asker {
            case .guest(let guest): wasGranted(guest, nil)
            case .launch(let place, _): launchWasGranted(place, nil, units: unitsInTurn(place))
            }
        }
        noteGap()
    }

    // MARK: Idleness

    /// Books the gap that ends now, and begins another if no turn is outstanding though something eligible waits.
    private mutating func noteGap() {
        if let gap, gap.since < now { book(gap) }
        gap = nil
        guard turnsOutstanding == 0, waiting > 0 else { return }
        switch plan.policy {
        case .mutex, .rateLimit: break
        case .priority: gap = IdleGap(since: now, heldBefore: .zero, holdEnds: priority.wake(now: now))
        case .spschedd:
            let overview = arbiter.overview(now: now)
            let eligible = overview.guestsWaiting + overview.launchesWaiting - wholesWaiting
            guard eligible > 0, overview.device == .alive else { return }
            let holdEnds = min(arbiter.nextWake ?? now, holdLatest)
            gap = IdleGap(since: now, heldBefore: overview.totals.holdCost, holdEnds: holdEnds)
        }
    }

    private mutating func book(_ gap: IdleGap) {
        guard isCounting else { return }
        let length = now - gap.since
        let longest = (gap.holdEnds - gap.since).clamped(to: .zero...length)
        let held: Nanoseconds =
            switch plan.policy {
            case .spschedd: min(arbiter.overview(now: now).totals.holdCost - gap.heldBefore, longest)
            case .priority, .mutex, .rateLimit: longest
            }
        device.idleInHolds += held
        device.idleWhileEligible += length - held
    }
}

/// A time in which no turn is outstanding though something eligible waits.
struct IdleGap: Sendable {
    let since: Instant
    /// What holds had cost by then, by the Arbiter's own account.
    let heldBefore: Nanoseconds
    /// What is idle after this is not believed to be a hold: the policy foretold that it would look again, and no hold
    /// lasts longer than `Limits.holdMax`.
    let holdEnds: Instant
}

/// Whom a request or a command comes from, as the one number that the Arbiter and the SP carry.
enum Origin {
    private static let launchBit: UInt64 = 1 << 62
    private static let otherBit: UInt64 = 1 << 63
    /// Places are counted in so many bits, serial numbers in those above.
    private static let placeBits: UInt64 = 12

    static let probe = otherBit

    static func guest(_ guest: Int) -> UInt64 { UInt64(guest) }
    static func launch(_ place: Int, serial: UInt64) -> UInt64 { launchBit | serial << placeBits | UInt64(place) }
    static func teardown(_ number: UInt64) -> UInt64 { otherBit | (number + 1) }

    static func guest(of origin: UInt64) -> Int? { origin < launchBit ? Int(origin) : nil }

    static func launch(of origin: UInt64) -> (place: Int, serial: UInt64)? {
        guard origin & (launchBit | otherBit) == launchBit else { return nil }
        return (Int(origin & ((1 << placeBits) - 1)), (origin & ~launchBit) >> placeBits)
    }
}
