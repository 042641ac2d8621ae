import Arbiter
import TraceFormat

/// The Arbiter, with what each call changed written down for the next daemon if there is a keeper, and the call and
/// what came of it recorded if there is a recorder. The Arbiter does not know.
struct RecordedArbiter: ~Copyable {
    private var arbiter: Arbiter
    private let keeper: StateKeeper?
    private var recorder: TraceRecorder?

    init(_ arbiter: consuming Arbiter, keeper: StateKeeper? = nil, recorder: TraceRecorder? = nil) {
        self.arbiter = arbiter
        self.keeper = keeper
        self.recorder = recorder
    }

    // MARK: What it says of itself

    var nextWake: Instant? {
        @inline(__always) get { arbiter.nextWake }
    }

    @inline(__always)
    func holdsTurn(origin: UInt64) -> Bool { arbiter.holdsTurn(origin: origin) }

    func overview(now: Instant) -> Overview { arbiter.overview(now: now) }
    var isDraining: Bool { arbiter.isDraining }
    @inline(__always)
    func reservationsAreSuspended(at now: Instant) -> Bool { arbiter.reservationsAreSuspended(at: now) }
    func report(of vm: VMID) -> VMReport? { arbiter.report(of: vm) }
    func standing(of vm: VMID, now: Instant) -> VMStanding? { arbiter.standing(of: vm, now: now) }
    func reports() -> [VMReport] { arbiter.reports() }
    func entitlement(of vm: VMID) -> Rate? { arbiter.entitlement(of: vm) }
    func objections(to configuration: Configuration) -> [ReconfigurationObjection] {
        arbiter.objections(to: configuration)
    }
    func violatedInvariant() -> String? { arbiter.violatedInvariant() }

    // MARK: Recording

    /// Begins a segment of the trace.
    func beginSegment(at now: Instant) { recorder?.beginSegment(arbiter, at: now) }

    @inline(__always)
    private func prepare(_ recorder: TraceRecorder, _ now: Instant) {
        if recorder.needsSegment { recorder.beginSegment(arbiter, at: now) }
    }

    /// A call that cannot fail.
    @inline(__always)
    private mutating func record(
        _ call: @autoclosure () -> ArbiterCall, _ vm: VMID?, now: Instant, _ decisions: inout [Decision],
        _ body: (inout Arbiter, inout [Decision]) -> Void
    ) {
        let first = decisions.count
        if let recorder { prepare(recorder, now) }
        body(&arbiter, &decisions)
        if let keeper { keeper.keep(arbiter, vm, decisions, from: first) }
        if let recorder { recorder.record(call(), .done, decisions, from: first, at: now) }
    }

    /// A call that may be a client's mistake.
    @inline(__always)
    private mutating func record(
        _ call: @autoclosure () -> ArbiterCall, _ vm: VMID?, now: Instant, _ decisions: inout [Decision],
        _ body: (inout Arbiter, inout [Decision]) throws(RequestError) -> Void
    ) throws(RequestError) {
        let first = decisions.count
        if let recorder { prepare(recorder, now) }
        do throws(RequestError) {
            try body(&arbiter, &decisions)
            if let keeper { keeper.keep(arbiter, vm, decisions, from: first) }
            if let recorder { recorder.record(call(), .done, decisions, from: first, at: now) }
        } catch {
            // The part before the mistake stands.
            if let keeper { keeper.keep(arbiter, vm, decisions, from: first) }
            if let recorder { recorder.record(call(), .mistake(error), decisions, from: first, at: now) }
            throw error
        }
    }

    /// A call that decides nothing but its answer.
    private func record(_ call: ArbiterCall, _ outcome: CallOutcome, now: Instant) {
        recorder?.record(call, outcome, [], from: 0, at: now)
    }

    private func prepare(now: Instant) {
        if let recorder { prepare(recorder, now) }
    }
}

// MARK: - After a restart

extension RecordedArbiter {
    /// Writes down what belongs to an account, and whose it is.
    func keep(_ account: Account) {
        guard let keeper else { return }
        keeper.keep(account, arbiter)
        keeper.commit()
    }

    /// Writes down everything of the Arbiter's.
    func keepAll(isNew: Bool) {
        guard let keeper else { return }
        keeper.keepAll(arbiter, isNew: isNew)
        keeper.commit()
    }

    func turns(ofOrigin origin: UInt64) -> [TurnID] { arbiter.turns(ofOrigin: origin) }
    func origins(ofTurnsOf vm: VMID) -> [UInt64] { arbiter.origins(ofTurnsOf: vm) }
    func session(of vm: VMID) -> SessionID? { arbiter.session(of: vm) }
    var isPaused: Bool { arbiter.isPaused }

    /// Before `resumeGrants` only: a trace does not know this call.
    mutating func takeBack(_ turn: TurnID, of vm: VMID, now: Instant, into decisions: inout [Decision]) {
        precondition(recorder == nil, "a trace begins when turns are granted again")
        let first = decisions.count
        arbiter.takeBack(turn, now: now, into: &decisions)
        keeper?.keep(arbiter, vm, decisions, from: first)
    }

    /// Turns are granted again, and calls recorded from here on.
    mutating func resumeGrants(now: Instant, into decisions: inout [Decision], recorder: TraceRecorder?) {
        let first = decisions.count
        arbiter.resumeGrants(now: now, into: &decisions)
        keeper?.keep(arbiter, nil, decisions, from: first)
        self.recorder = recorder
    }
}

// MARK: - Turns

extension RecordedArbiter {
    @inline(__always)
    mutating func acquire(
        _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?, request: RequestID, of vm: VMID, now: Instant,
        into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(
            .acquire(.init(id: request, kind: kind, units: units, maxWait: maxWait), vm), vm, now: now, &decisions
        ) { (arbiter, decisions) throws(RequestError) in
            try arbiter.acquire(
                kind, units: units, maxWait: maxWait, request: request, of: vm, now: now, into: &decisions)
        }
    }

    @inline(__always)
    mutating func release(
        _ turn: TurnID, _ outcome: TurnOutcome, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(.release(turn, outcome, vm), vm, now: now, &decisions) { (arbiter, decisions) throws(RequestError) in
            try arbiter.release(turn, outcome, of: vm, now: now, into: &decisions)
        }
    }

    @inline(__always)
    mutating func releaseAndAcquire(
        _ turn: TurnID, _ outcome: TurnOutcome, _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?,
        request: RequestID, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(
            .releaseAndAcquire(turn, outcome, .init(id: request, kind: kind, units: units, maxWait: maxWait), vm),
            vm, now: now, &decisions
        ) { (arbiter, decisions) throws(RequestError) in
            try arbiter.releaseAndAcquire(
                turn, outcome, kind, units: units, maxWait: maxWait, request: request, of: vm, now: now,
                into: &decisions)
        }
    }

    mutating func cancel(_ request: RequestID, of vm: VMID, now: Instant, into decisions: inout [Decision]) {
        record(.cancel(request, vm), vm, now: now, &decisions) { $0.cancel(request, of: vm, now: now, into: &$1) }
    }

    mutating func hangUp(origin: UInt64, of vm: VMID, now: Instant, into decisions: inout [Decision]) {
        record(.hangUp(origin: origin, vm), vm, now: now, &decisions) {
            $0.hangUp(origin: origin, of: vm, now: now, into: &$1)
        }
    }

    @inline(__always)
    mutating func advance(to now: Instant, into decisions: inout [Decision]) {
        record(.advance, nil, now: now, &decisions) { $0.advance(to: now, into: &$1) }
    }

    /// Another configuration, if it lessens nothing that was promised.
    mutating func reconfigure(
        _ configuration: Configuration, now: Instant, into decisions: inout [Decision]
    ) throws(ReconfigurationRefusal) {
        prepare(now: now)
        let first = decisions.count
        do throws(ReconfigurationRefusal) {
            try arbiter.reconfigure(configuration, now: now, into: &decisions)
            // Each VM's buckets may hold another measure now.
            keepAll(isNew: false)
            recorder?.record(.reconfigure(configuration), .done, decisions, from: first, at: now)
        } catch {
            keepAll(isNew: false)
            let outcome = CallOutcome.notReconfigured(objections: UInt64(error.objections.count))
            recorder?.record(.reconfigure(configuration), outcome, decisions, from: first, at: now)
            throw error
        }
    }

    mutating func drain(now: Instant, into decisions: inout [Decision]) {
        record(.drain, nil, now: now, &decisions) { $0.drain(now: now, into: &$1) }
    }

    mutating func resume(now: Instant, into decisions: inout [Decision]) {
        record(.resume, nil, now: now, &decisions) { $0.resume(now: now, into: &$1) }
    }
}

// MARK: - The device

extension RecordedArbiter {
    mutating func probeReturned(_ outcome: ProbeOutcome, now: Instant, into decisions: inout [Decision]) {
        record(.probeReturned(outcome), nil, now: now, &decisions) { $0.probeReturned(outcome, now: now, into: &$1) }
    }

    mutating func devicePresence(isPresent: Bool, now: Instant, into decisions: inout [Decision]) {
        record(.devicePresence(isPresent: isPresent), nil, now: now, &decisions) {
            $0.devicePresence(isPresent: isPresent, now: now, into: &$1)
        }
    }
}

// MARK: - The platform

extension RecordedArbiter {
    mutating func acquirePlatform(
        _ kind: CommandKind, request: RequestID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(.acquirePlatform(kind, request), nil, now: now, &decisions) {
            (arbiter, decisions) throws(RequestError) in
            try arbiter.acquirePlatform(kind, request: request, now: now, into: &decisions)
        }
    }

    mutating func releasePlatform(
        _ turn: TurnID, reportsDeviceTrouble: Bool, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(
            .releasePlatform(turn, reportsDeviceTrouble: reportsDeviceTrouble), nil, now: now, &decisions
        ) { (arbiter, decisions) throws(RequestError) in
            try arbiter.releasePlatform(
                turn, reportsDeviceTrouble: reportsDeviceTrouble, now: now, into: &decisions)
        }
    }

    mutating func cancelPlatform(_ request: RequestID, now: Instant, into decisions: inout [Decision]) {
        record(.cancelPlatform(request), nil, now: now, &decisions) {
            $0.cancelPlatform(request, now: now, into: &$1)
        }
    }
}

// MARK: - VMs and launches

extension RecordedArbiter {
    /// - Parameter now: when it was asked for. The Arbiter does not need it.
    mutating func openAccount(now: Instant) -> AccountID? {
        prepare(now: now)
        let account = arbiter.openAccount()
        record(.openAccount, account.map { .accountOpened($0) } ?? .noAccountLeft, now: now)
        return account
    }

    mutating func closeAccount(_ account: AccountID, now: Instant) -> Bool {
        prepare(now: now)
        let isClosed = arbiter.closeAccount(account, now: now)
        record(.closeAccount(account), isClosed ? .accountClosed : .accountKept, now: now)
        return isClosed
    }

    /// - Parameter name: what people call the VM.
    mutating func register(
        _ registration: Registration, name: String, account: AccountID, now: Instant
    ) throws(AdmissionRefusal) -> Admission {
        prepare(now: now)
        do throws(AdmissionRefusal) {
            let admission = try arbiter.register(registration, account: account, now: now)
            keeper?.keep(arbiter, admission.vm, [], from: 0)
            record(.register(registration, account), .admitted(admission), now: now)
            if let recorder {
                prepare(now: now)
                recorder.name(admission.vm, name)
            }
            return admission
        } catch {
            record(.register(registration, account), .notAdmitted(AdmissionRefusalDigest(error)), now: now)
            throw error
        }
    }

    mutating func unregister(_ vm: VMID, now: Instant, into decisions: inout [Decision]) {
        record(.unregister(vm), vm, now: now, &decisions) { $0.unregister(vm, now: now, into: &$1) }
        recorder?.forget(vm)
    }

    mutating func beginLaunch(_ plan: LaunchPlan, of vm: VMID, now: Instant) throws(LaunchRefusal) -> SessionID {
        prepare(now: now)
        do throws(LaunchRefusal) {
            let session = try arbiter.beginLaunch(plan, of: vm, now: now)
            keeper?.keep(arbiter, vm, [], from: 0)
            record(.beginLaunch(plan, vm), .launchBegun(session), now: now)
            return session
        } catch {
            switch error {
            case .busy(let busy): record(.beginLaunch(plan, vm), .launchRefused(busy), now: now)
            case .error(let mistake): record(.beginLaunch(plan, vm), .mistake(mistake), now: now)
            }
            throw error
        }
    }

    mutating func endLaunch(
        _ session: SessionID, of vm: VMID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        try record(.endLaunch(session, vm), vm, now: now, &decisions) { (arbiter, decisions) throws(RequestError) in
            try arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
        }
    }
}
