import Testing

@testable import Arbiter

/// A virtual host: owns an Arbiter, keeps the time, wakes it when it asks for it, and hands out what it decides.
///
/// After each step it checks the Arbiter's invariants, and that no wake-up is asked for that has already passed.
final class Host {
    struct Entry: Equatable {
        let at: Instant
        let decision: Decision
    }

    static let start = Instant(sinceBoot: .seconds(1_000))

    private(set) var arbiter: Arbiter
    private(set) var now: Instant
    /// Every decision so far, if `remembers`.
    private(set) var log: [Entry] = []
    var remembers = true
    /// The whole check costs O(n); a long run does it after every so many steps.
    var checksEvery = 1
    private var checksInvariants = true

    private var agenda = Agenda()
    private var receivers: [VMID: (Decision, Host) -> Void] = [:]
    private var lastTag: UInt64 = 0
    private var steps = 0
    private(set) var account = AccountID(slot: 0)

    init(_ configuration: Configuration = Configuration(), virtualMachines: Int = 16, start: Instant = Host.start) {
        arbiter = Arbiter(configuration: configuration, virtualMachines: virtualMachines, now: start)
        now = start
        if let account = arbiter.openAccount() { self.account = account }
    }

    // MARK: Time

    /// The time since the host's start.
    var elapsed: Nanoseconds { now - Host.start }

    func at(_ time: Instant, _ order: Agenda.Order = .ask, _ action: @escaping (Host) -> Void) {
        agenda.add(action, at: max(time, now), order)
    }

    func after(_ delay: Nanoseconds, _ order: Agenda.Order = .ask, _ action: @escaping (Host) -> Void) {
        at(now + delay, order, action)
    }

    /// Lets time pass, and all happen that is due until then.
    func run(for duration: Nanoseconds) { run(until: now + duration) }

    func run(until end: Instant) {
        while let next = nextEvent, next.time <= end {
            now = max(now, next.time)
            if next.isWake { wake() } else { agenda.removeFirst().action(self) }
        }
        now = end
    }

    private var nextEvent: (time: Instant, isWake: Bool)? {
        guard let wake = arbiter.nextWake else { return agenda.first.map { ($0.time, false) } }
        guard let entry = agenda.first else { return (wake, true) }
        let entryIsFirst = entry.time != wake ? entry.time < wake : entry.order.rawValue < Agenda.Order.wake.rawValue
        return entryIsFirst ? (entry.time, false) : (wake, true)
    }

    private func wake() {
        step { arbiter, now, out in arbiter.advance(to: now, into: &out) }
        if let again = arbiter.nextWake, again <= now {
            Issue.record("woken at \(elapsed), the Arbiter asks to be woken at once again")
            agenda = Agenda()
        }
    }

    // MARK: Steps

    /// One call of the Arbiter; its decisions are remembered and handed to whom they concern.
    func step<Failure: Error>(
        _ call: (inout Arbiter, Instant, inout [Decision]) throws(Failure) -> Void
    ) throws(Failure) {
        var decisions: [Decision] = []
        defer { hand(out: decisions) }
        try call(&arbiter, now, &decisions)
    }

    /// Goes on with an Arbiter that was restored from the state of this one.
    func restore(_ configuration: Configuration? = nil) throws(StateProblem) {
        var words: [UInt64] = []
        arbiter.save(into: &words)
        arbiter = try Arbiter.restored(from: words, configuration: configuration)
        // More may be promised than another configuration would permit.
        checksInvariants = configuration == nil
    }

    /// Goes on with an Arbiter that was rebuilt from its parts, after nobody scheduled for a while. Platform commands
    /// do not come again: their operators' connections are gone.
    func rebuild(after gap: Nanoseconds) throws(StateProblem) {
        let before = arbiter.records
        now = now + gap
        arbiter = try Arbiter.rebuilt(
            from: before, configuration: arbiter.configuration, virtualMachines: arbiter.virtualMachines.count,
            now: now)
        if let violation = arbiter.violatedInvariant() { Issue.record("rebuilt after \(elapsed): \(violation)") }
        step { arbiter, now, out in arbiter.resumeGrants(now: now, into: &out) }
    }

    private func hand(out decisions: [Decision]) {
        steps += 1
        if checksInvariants, steps % checksEvery == 0, let violation = arbiter.violatedInvariant() {
            Issue.record("after \(elapsed): \(violation)")
        }
        for decision in decisions {
            if remembers { log.append(Entry(at: now, decision: decision)) }
            if let vm = decision.vm, let receive = receivers[vm] { receive(decision, self) }
        }
    }

    /// From now on `receive` sees every decision about this VM.
    func deliver(to vm: VMID, _ receive: @escaping (Decision, Host) -> Void) { receivers[vm] = receive }

    // MARK: Plain calls, at the present time

    func register(_ registration: Registration = Registration(), account: AccountID? = nil) throws(AdmissionRefusal)
        -> VMID
    {
        try arbiter.register(registration, account: account ?? self.account, now: now).vm
    }

    func admit(_ registration: Registration) throws(AdmissionRefusal) -> Admission {
        try arbiter.register(registration, account: account, now: now)
    }

    func openAccount() throws -> AccountID { try #require(openAccountIfThereIsRoom()) }

    func openAccountIfThereIsRoom() -> AccountID? { arbiter.openAccount() }

    /// Asks for a turn; the answer comes by `answer(to:)`.
    func acquire(
        _ kind: CommandKind, _ units: UInt32 = 1, of vm: VMID, maxWait: Nanoseconds? = nil, origin: UInt64? = nil
    ) throws(RequestError) -> RequestID {
        let request = newRequest(origin ?? UInt64(vm.slot))
        try step { (arbiter, now, out) throws(RequestError) in
            try arbiter.acquire(
                kind, units: units, maxWait: maxWait, request: request, of: vm, now: now, into: &out)
        }
        return request
    }

    func release(_ turn: TurnID, of vm: VMID, units: UInt32 = 1, trouble: Bool = false) throws(RequestError) {
        try step { (arbiter, now, out) throws(RequestError) in
            try arbiter.release(
                turn, TurnOutcome(unitsDone: units, reportsDeviceTrouble: trouble), of: vm, now: now, into: &out)
        }
    }

    func newRequest(_ origin: UInt64) -> RequestID {
        lastTag += 1
        return RequestID(origin: origin, tag: lastTag)
    }

    func begin(_ plan: LaunchPlan, of vm: VMID) throws(LaunchRefusal) -> SessionID {
        try arbiter.beginLaunch(plan, of: vm, now: now)
    }

    /// Begins a session and asks for its first command: the whole launch, if it is declared so.
    func acquire(_ first: CommandKind, of vm: VMID, beginning plan: LaunchPlan) throws -> RequestID {
        _ = try begin(plan, of: vm)
        return try plan.isWhole ? acquire(.wholeLaunch, plan.pages, of: vm) : acquire(first, of: vm)
    }

    func end(_ session: SessionID, of vm: VMID) throws(RequestError) {
        try step { (arbiter, now, out) throws(RequestError) in
            try arbiter.endLaunch(session, of: vm, now: now, into: &out)
        }
    }

    func closeAccount(_ account: AccountID) -> Bool { arbiter.closeAccount(account, now: now) }

    func report(of vm: VMID) -> VMReport? { arbiter.report(of: vm) }
    var overview: Overview { arbiter.overview(now: now) }

    // MARK: What was decided

    /// The terminal answer to a request, if it has come.
    func answer(to request: RequestID) -> Decision? {
        log.last {
            switch $0.decision {
            case .granted(request, _, _), .busy(request, _, _), .failed(request, _, _): true
            default: false
            }
        }?.decision
    }

    func grant(of request: RequestID) -> Grant? {
        if case .granted(_, _, let grant) = answer(to: request) { grant } else { nil }
    }

    func busy(_ request: RequestID) -> Busy? {
        if case .busy(_, _, let busy) = answer(to: request) { busy } else { nil }
    }

    /// How often this very decision was made.
    func count(_ decision: Decision) -> Int { log.count { $0.decision == decision } }
}

extension Decision {
    /// Whom it concerns.
    var vm: VMID? {
        switch self {
        case .granted(_, let vm, _), .queued(_, let vm, _), .busy(_, let vm, _), .failed(_, let vm, _),
            .revoked(_, let vm, _), .sessionEnded(_, let vm, _):
            vm
        case .probe, .deviceState: nil
        }
    }
}

extension Configuration {
    /// The defaults, but for what `change` sets.
    static func with(_ change: (inout Configuration) -> Void) -> Configuration {
        var configuration = Configuration()
        change(&configuration)
        return configuration
    }
}
