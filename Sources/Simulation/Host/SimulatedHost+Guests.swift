import Arbiter
import SPModel

/// Guests: what they ask, and what they do when they are refused.
extension SimulatedHost {
    mutating func guestActs(_ guest: Int) {
        switch guests[guest].stage {
        case .resting: begin(guest)
        case .refused: attempt(guest)
        case .asking, .silent: break
        }
    }

    /// It wants a report.
    private mutating func begin(_ guest: Int) {
        guests[guest].began = now
        begin(guest, isProbing: groups[guests[guest].group].model.probesLength)
    }

    private mutating func begin(_ guest: Int, isProbing: Bool) {
        guests[guest].isProbing = isProbing
        guests[guest].firstAttempt = now
        guests[guest].refusals = 0
        attempt(guest)
    }

    private mutating func attempt(_ guest: Int) {
        guests[guest].attempted = now
        guests[guest].stage = .asking
        switch guests[guest].path {
        case .straight: issue(guest)
        case .limited:
            if guests[guest].limit?.allows(at: now) == false { wasRefused(guest) } else { issue(guest) }
        case .prioritised:
            waiting += 1
            priority.ask(.guest(guest), now: now)
        case .arbitrated: askForTurn(guest)
        }
    }

    private mutating func askForTurn(_ guest: Int) {
        lastTag += 1
        let request = RequestID(origin: Origin.guest(guest), tag: lastTag)
        let kind = groups[guests[guest].group].model.kind
        do {
            try arbiter.acquire(
                kind, units: 1, maxWait: nil, request: request, of: guests[guest].vm, now: now, into: &decisions)
            waiting += 1
        } catch {
            preconditionFailure("a guest's request was a mistake: \(error)")
        }
    }

    /// The command goes to the SP. Where the message is only to learn a length, none does.
    mutating func issue(_ guest: Int) {
        guard !guests[guest].isProbing else { return wasAnswered(guest) }
        processor.submit(
            groups[guests[guest].group].request, origin: Origin.guest(guest), tag: 0, at: now, into: &completions)
    }

    mutating func wasGranted(_ guest: Int, _ turn: TurnID?) {
        guests[guest].turn = turn
        issue(guest)
    }

    mutating func wasServed(_ guest: Int, _ completion: SecureProcessor.Completion) {
        guard completion.error == nil else { return hasFailed(guest, completion) }
        wasAnswered(guest)
    }

    private mutating func wasAnswered(_ guest: Int) {
        returnTurn(guest, reportsTrouble: false)
        noteFrozen(guest)
        guard !guests[guest].isProbing else { return begin(guest, isProbing: false) }
        noteReport(guest)
        rest(guest)
    }

    private mutating func hasFailed(_ guest: Int, _ completion: SecureProcessor.Completion) {
        returnTurn(guest, reportsTrouble: completion.error?.isOfDevice == true)
        noteFrozen(guest)
        if isCounting { guests[guest].record.failures += 1 }
        guests[guest].wanted = now
        guests[guest].stage = .resting
        agenda.plan(.guest(guest), at: now + HostLimits.pauseAfterFailure)
    }

    private mutating func returnTurn(_ guest: Int, reportsTrouble: Bool) {
        switch guests[guest].path {
        case .straight, .limited: break
        case .prioritised:
            turnsOutstanding -= 1
            priority.release(now: now)
        case .arbitrated:
            guard let turn = guests[guest].turn else { return }
            guests[guest].turn = nil
            release(turn, TurnOutcome(unitsDone: 1, reportsDeviceTrouble: reportsTrouble), of: guests[guest].vm)
        }
    }

    // MARK: Refusals

    mutating func wasRefused(_ guest: Int) {
        noteFrozen(guest)
        guests[guest].refusals += 1
        if isCounting { guests[guest].record.refusals += 1 }
        switch groups[guests[guest].group].model.driver {
        case .linux:
            switch GuestDriver.afterBusy(firstAttempt: guests[guest].firstAttempt, now: now) {
            case .retry(let pause): retry(guest, after: pause)
            case .keyLost: loseKey(guest)
            }
        case .once: guests[guest].refusals > 1 ? loseKey(guest) : retry(guest, after: plan.profile.gaps.guestThink)
        case .never: loseKey(guest)
        case .insistent: retry(guest, after: plan.profile.gaps.guestThink)
        }
    }

    private mutating func retry(_ guest: Int, after pause: Nanoseconds) {
        guests[guest].stage = .refused
        agenda.plan(.guest(guest), at: now + pause)
    }

    private mutating func loseKey(_ guest: Int) {
        guests[guest].stage = .silent
        guests[guest].record.keyLost = now
    }

    // MARK: Pace

    /// It has what it wanted; when does it want the next?
    private mutating func rest(_ guest: Int) {
        let digested = now + plan.profile.gaps.guestThink
        var wanted = guests[guest].wanted
        let wakes: Instant
        switch groups[guests[guest].group].model.pace {
        case .loop:
            wanted = digested
            wakes = digested
        case .schedule(let every):
            wanted += every
            wakes = max(wanted, digested)
        case .period(let every):
            wanted = max(wanted + every, now)
            wakes = wanted
        case .bursts(let count, let every):
            guests[guest].burstLeft -= 1
            if guests[guest].burstLeft <= 0 {
                guests[guest].burstLeft = count
                wanted += every
            }
            wakes = max(wanted, digested)
        }
        guests[guest].wanted = wanted
        guests[guest].stage = .resting
        agenda.plan(.guest(guest), at: wakes)
    }

    // MARK: Record

    private mutating func noteFrozen(_ guest: Int) {
        let frozen = now - guests[guest].attempted
        guard isCounting, frozen > guests[guest].record.longestFrozen else { return }
        guests[guest].record.longestFrozen = frozen
    }

    private mutating func noteReport(_ guest: Int) {
        if plan.recording.keepsReportTimes, reportTimesKept < HostLimits.reportTimes {
            reportTimesKept += 1
            guests[guest].record.reportTimes.append(now)
        }
        guard isCounting else { return }
        let latency = now - guests[guest].began
        guests[guest].record.add(latency, at: now)
        groups[guests[guest].group].latency.add(latency)
        groups[guests[guest].group].windows.add(guests[guest].member, at: now)
    }
}

extension GuestRecord {
    mutating func add(_ latency: Nanoseconds, at now: Instant) {
        reports += 1
        longestLatency = max(longestLatency, latency)
        if let last = lastReport { longestPause = max(longestPause, now - last) }
        lastReport = now
    }
}

extension CommandError {
    /// Whether ccp says that the device is broken, rather than the firmware that it refuses.
    var isOfDevice: Bool { self == .timedOut || self == .dead }
}
