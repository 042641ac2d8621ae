import Arbiter
import TraceFormat

/// How far a stream has come.
struct Stream {
    let steps: [Script.Step]
    var next = 0
    /// Its launch was not admitted here: what belongs to it is left out.
    var isSkippingLaunch = false
    /// The step before is over, and the next has been put on the agenda.
    var isScheduled = false

    init(_ steps: [Script.Step]) { self.steps = steps }
}

/// Steps that follow one another.
extension WhatIf {
    mutating func startStreams() {
        for (key, steps) in script.steps {
            streams[key] = Stream(steps)
            guard let first = steps.first, !comesWithRelease(first) else { continue }
            schedule(key, at: first.at)
        }
    }

    /// Then it follows a turn that was outstanding, or a request that waited, when the trace began.
    private func comesWithRelease(_ step: Script.Step) -> Bool {
        guard case .request(let request) = step.deed else { return false }
        return script.requests[request].cameWithRelease
    }

    /// A request that waited when the trace began was refused: what its client did after it, it does now.
    mutating func proceedAfterEarly(_ vm: VMID, _ now: Instant) {
        for part in [CommandClass.guest, .launch] {
            let key = StreamKey(vm: vm, part: part)
            if let stream = streams[key], stream.next == 0 { proceed(key, now) }
        }
    }

    private mutating func schedule(_ key: StreamKey, at instant: Instant) {
        streams[key]?.isScheduled = true
        agenda.add(.next(key), at: instant)
    }

    /// The step before is over now: when does the next begin?
    mutating func proceed(_ key: StreamKey, _ now: Instant) {
        guard let stream = streams[key], stream.next < stream.steps.count, !stream.isScheduled else { return }
        let step = stream.steps[stream.next]
        switch (key.part, step.deed) {
        // A launch begins when it began: its VM was started by somebody else.
        case (_, .begin): schedule(key, at: max(step.at, now))
        case (.launch, _): schedule(key, at: now + step.pause)
        // A guest has its own clock, unless it is late already.
        default: schedule(key, at: max(step.at, now + min(step.pause, WhatIfLimits.guestPause)))
        }
    }

    /// The stream's next request, if it comes in one message with the release of the turn that ends now, here too.
    mutating func together(with key: StreamKey, _ now: Instant) -> Int? {
        guard var stream = streams[key], stream.next < stream.steps.count, !stream.isScheduled,
            case .request(let next) = stream.steps[stream.next].deed, script.requests[next].cameWithRelease,
            key.part == .launch || stream.steps[stream.next].at <= now
        else { return nil }
        stream.next += 1
        streams[key] = stream
        return next
    }

    /// A request has had its answer, and its turn if it got one.
    mutating func follow(_ request: Int, _ now: Instant) { proceed(script.stream(of: request), now) }

    // MARK: Steps

    mutating func advance(_ key: StreamKey, _ now: Instant) {
        guard var stream = streams[key], stream.next < stream.steps.count else { return }
        let step = stream.steps[stream.next]
        stream.next += 1
        stream.isScheduled = false
        streams[key] = stream
        guard key.vm == .none || vm(key.vm) != nil else { return proceed(key, now) }
        switch step.deed {
        case .begin(let plan): begin(plan, key, now)
        case .end(let session): end(session, key, now)
        case .request(let index):
            if stream.isSkippingLaunch, key.part == .launch {
                return proceed(key, now)
            }
            ask(index, key, now)
        }
    }

    private mutating func begin(_ plan: LaunchPlan, _ key: StreamKey, _ now: Instant) {
        guard let vm = vm(key.vm) else { return }
        do throws(LaunchRefusal) {
            sessions[vm] = try arbiter.beginLaunch(plan, of: vm, now: now)
            streams[key]?.isSkippingLaunch = false
            results.launches += 1
        } catch {
            streams[key]?.isSkippingLaunch = sessions[vm] == nil
            results.launchesRefused += 1
        }
        proceed(key, now)
    }

    private mutating func end(_ recorded: SessionID, _ key: StreamKey, _ now: Instant) {
        if let vm = vm(key.vm), streams[key]?.isSkippingLaunch == false {
            // One that was open at the beginning is called as it was.
            let session = sessions.removeValue(forKey: vm) ?? recorded
            try? arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
            settle(now)
        }
        proceed(key, now)
    }

    private mutating func ask(_ index: Int, _ key: StreamKey, _ now: Instant) {
        let issue = script.issue(index)
        waiting[issue.id] = index
        results.asked(index, at: now)
        do throws(RequestError) {
            if key.vm == .none {
                try arbiter.acquirePlatform(issue.kind, request: issue.id, now: now, into: &decisions)
            } else if let vm = vm(key.vm) {
                try arbiter.acquire(
                    issue.kind, units: issue.units, maxWait: issue.maxWait, request: issue.id, of: vm, now: now,
                    into: &decisions)
            }
        } catch { refusedAtOnce(index, issue.id, now) }
        settle(now)
    }

    // MARK: What comes when it came

    mutating func play(_ event: Script.Event, _ now: Instant) {
        switch event.call {
        case .openAccount:
            if case .accountOpened(let account) = event.outcome { accounts[account] = .some(arbiter.openAccount()) }
        case .closeAccount(let account):
            if event.outcome == .accountClosed, let here = self.account(account) {
                _ = arbiter.closeAccount(here, now: now)
                accounts[account] = .some(nil)
            }
        case .register(let registration, let account): register(registration, account, event.outcome, now)
        case .unregister(let vm):
            if let here = self.vm(vm) {
                arbiter.unregister(here, now: now, into: &decisions)
                vms[vm] = VMID.none
            }
        case .cancel(let request, let vm):
            if let here = self.vm(vm) { arbiter.cancel(request, of: here, now: now, into: &decisions) }
        case .hangUp(let origin, let vm): hangUp(origin, vm, now)
        case .drain: arbiter.drain(now: now, into: &decisions)
        case .resume: arbiter.resume(now: now, into: &decisions)
        case .devicePresence(let isPresent):
            arbiter.devicePresence(isPresent: isPresent, now: now, into: &decisions)
        case .cancelPlatform(let request): arbiter.cancelPlatform(request, now: now, into: &decisions)
        default: break
        }
        settle(now)
    }

    private mutating func hangUp(_ origin: UInt64, _ vm: VMID, _ now: Instant) {
        guard let here = self.vm(vm) else { return }
        arbiter.hangUp(origin: origin, of: here, now: now, into: &decisions)
        for (id, request) in waiting where id.origin == origin {
            waiting[id] = nil
            results.vanished(request, at: now)
            follow(request, now)
        }
    }

    private mutating func register(
        _ registration: Registration, _ account: AccountID, _ outcome: CallOutcome, _ now: Instant
    ) {
        guard let here = self.account(account) else { return }
        let vm = try? arbiter.register(registration, account: here, now: now).vm
        if case .admitted(let admission) = outcome {
            vms[admission.vm] = vm ?? VMID.none
            if vm == nil { results.notAdmitted += 1 }
        } else if let vm {
            // What it would have asked for is not known: it is counted, and goes again.
            results.newlyAdmitted += 1
            arbiter.unregister(vm, now: now, into: &decisions)
        }
    }

    /// The account's name here; `nil`: there was no place for it, or it is closed.
    private func account(_ recorded: AccountID) -> AccountID? {
        if let here = accounts[recorded] { return here }
        return recorded
    }

    /// The VM's name here; `nil`: it was not admitted, or is gone.
    func vm(_ recorded: VMID) -> VMID? {
        let here = vms[recorded] ?? recorded
        return here == .none ? nil : here
    }
}

enum WhatIfLimits {
    /// A guest that asks again and again thinks for less than this; one with a longer pause has a clock of its own.
    static let guestPause = Nanoseconds.milliseconds(1)
}
