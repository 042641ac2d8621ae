import Arbiter
import TraceFormat

/// The same clients under another configuration: what would have been granted, when, and what refused.
///
/// It begins with the trace's first state. What a client does next is known only as far as it must follow:
///
/// - registrations, departures, cancels and an operator's words come when they came;
/// - a turn lasts as long as the recorded one of the same request; one that was never granted, as long as is planned;
/// - a launch's next command follows the turn before after the recorded pause, be that sooner or later;
/// - a guest's request comes when it came, but not before the one before it has its answer and its turn.
///
/// Whether a guest that is now served would still have come back, or one that is now refused would have come again, the
/// trace cannot know. Nor does it know more or fewer launch turns than there were: another `chunk_pages` is not felt.
public struct WhatIf: ~Copyable {
    var arbiter: Arbiter
    var decisions: [Decision] = []
    let script: Script
    var agenda = WhatIfAgenda()
    var streams: [StreamKey: Stream] = [:]
    /// What the recorded names are called here.
    var vms: [VMID: VMID] = [:]
    var accounts: [AccountID: AccountID?] = [:]
    /// Outcomes of turns that were outstanding at the beginning.
    private var earlyOutcomes: [TurnID: TurnOutcome] = [:]
    var sessions: [VMID: SessionID] = [:]
    /// The script's request that stands behind one that waits here, and behind each turn.
    var waiting: [RequestID: Int] = [:]
    var turns: [TurnID: HeldTurn] = [:]
    public internal(set) var results: WhatIfResults
    private let configuration: Configuration

    struct HeldTurn {
        let request: Int?
        let vm: VMID
        let kind: CommandKind
        let units: UInt32

        /// What goes on when it is over. VMs that were there when the trace began have the same name here.
        func stream(_ script: Script) -> StreamKey {
            guard let request else { return StreamKey(vm: vm, part: kind.commandClass) }
            return script.stream(of: request)
        }
    }

    /// - Parameter state: the trace's first, from which `history` was replayed.
    public init(
        state: [UInt64], configuration: Configuration, history: History, calls: [CallRecord]
    ) throws(StateProblem) {
        let recorded = try Arbiter.restored(from: state).configuration
        arbiter = try Arbiter.restored(from: state, configuration: configuration)
        self.configuration = configuration
        script = Script(history, calls)
        results = WhatIfResults(requests: script.requests.count)
        if recorded.chunkPages != configuration.chunkPages { results.chunkPagesRecorded = recorded.chunkPages }
    }

    /// Plays it to the end of the trace, and then until what was asked by then has its answer.
    public mutating func run() {
        returnEarlyTurns()
        for (index, event) in script.events.enumerated() { agenda.add(.event(index), at: event.at) }
        startStreams()
        let patience = script.end + .seconds(60)
        while let next = earliest, next.at <= patience, !(isQuiet && next.at > script.end) {
            if next.isWake {
                arbiter.advance(to: next.at, into: &decisions)
                settle(next.at)
            } else if let action = agenda.removeFirst() {
                act(action, next.at)
            }
        }
    }

    /// Turns that were outstanding when the trace began are returned when they were.
    private mutating func returnEarlyTurns() {
        let overview = arbiter.overview(now: .distantPast)
        for view in [overview.turn, overview.turnBeside].compactMap(\.self) {
            guard let returned = script.returns[view.turn] else { continue }
            turns[view.turn] = HeldTurn(request: nil, vm: view.vm, kind: view.kind, units: view.units)
            earlyOutcomes[view.turn] = returned.outcome
            agenda.add(.release(view.turn), at: returned.at)
        }
    }

    private var isQuiet: Bool { waiting.isEmpty && turns.isEmpty }

    private var earliest: (at: Instant, isWake: Bool)? {
        guard let wake = arbiter.nextWake else { return agenda.next.map { ($0, false) } }
        // What ends or begins at a moment is heard before the time is told, as the daemon does.
        guard let next = agenda.next, next <= wake else { return (wake, true) }
        return (next, false)
    }

    private mutating func act(_ action: WhatIfAgenda.Action, _ now: Instant) {
        switch action {
        case .event(let index): play(script.events[index], now)
        case .release(let turn): release(turn, now)
        case .next(let key): advance(key, now)
        case .probe(let outcome):
            arbiter.probeReturned(outcome, now: now, into: &decisions)
            settle(now)
        }
    }

    // MARK: Decisions

    mutating func settle(_ now: Instant) {
        let made = decisions
        decisions.removeAll(keepingCapacity: true)
        for decision in made { hear(decision, now) }
    }

    private mutating func hear(_ decision: Decision, _ now: Instant) {
        switch decision {
        case .granted(let id, let vm, let grant):
            let request = waiting.removeValue(forKey: id)
            turns[grant.turn] = HeldTurn(request: request, vm: vm, kind: grant.kind, units: grant.units)
            if let request { results.granted(request, at: now) }
            if request == nil { earlyOutcomes[grant.turn] = script.early[id]?.outcome }
            if let occupancy = occupancy(request, id, grant) {
                agenda.add(.release(grant.turn), at: now + occupancy)
            }
        case .busy(let id, let vm, let busy): ended(id, vm, now) { $0.refused($1, busy.reason, at: now) }
        case .failed(let id, let vm, _): ended(id, vm, now) { $0.failed($1, at: now) }
        case .revoked(let turn, _, _):
            if let held = turns.removeValue(forKey: turn) { proceed(held.stream(script), now) }
        case .sessionEnded(_, let vm, _): sessions[vm] = nil
        case .probe: agenda.add(.probe(script.probe(after: now)), at: now + .milliseconds(1))
        case .queued, .deviceState: break
        }
    }

    private mutating func ended(
        _ id: RequestID, _ vm: VMID, _ now: Instant, _ note: (inout WhatIfResults, Int) -> Void
    ) {
        guard let request = waiting.removeValue(forKey: id) else { return proceedAfterEarly(vm, now) }
        note(&results, request)
        follow(request, now)
    }

    /// `nil`: the holder never returned it.
    private func occupancy(_ request: Int?, _ id: RequestID, _ grant: Grant) -> Nanoseconds? {
        switch request.map({ script.requests[$0].occupancy }) ?? script.early[id]?.occupancy ?? .unknown {
        case .took(let time): return time
        case .neverReturned: return nil
        case .unknown: break
        }
        return configuration.planningCosts.planned(grant.kind, units: grant.units)
    }

    // MARK: Turns

    /// The turn's holder is done; its next request may come in the same message.
    private mutating func release(_ turn: TurnID, _ now: Instant) {
        guard let held = turns.removeValue(forKey: turn) else { return }
        let stream = held.stream(script)
        let outcome =
            held.request.flatMap { script.requests[$0].outcome } ?? earlyOutcomes[turn]
            ?? TurnOutcome(unitsDone: held.units)
        if held.vm == .none {
            try? arbiter.releasePlatform(turn, now: now, into: &decisions)
        } else if let next = together(with: stream, now) {
            return releaseAndAsk(turn, outcome, held.vm, next, now)
        } else {
            try? arbiter.release(turn, outcome, of: held.vm, now: now, into: &decisions)
        }
        settle(now)
        proceed(stream, now)
    }

    private mutating func releaseAndAsk(
        _ turn: TurnID, _ outcome: TurnOutcome, _ vm: VMID, _ next: Int, _ now: Instant
    ) {
        let issue = script.issue(next)
        waiting[issue.id] = next
        results.asked(next, at: now)
        do throws(RequestError) {
            try arbiter.releaseAndAcquire(
                turn, outcome, issue.kind, units: issue.units, maxWait: issue.maxWait, request: issue.id, of: vm,
                now: now, into: &decisions)
        } catch { refusedAtOnce(next, issue.id, now) }
        settle(now)
    }

    mutating func refusedAtOnce(_ request: Int, _ id: RequestID, _ now: Instant) {
        waiting[id] = nil
        results.failed(request, at: now)
        follow(request, now)
    }
}

extension PlanningCosts {
    fileprivate func planned(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        switch kind {
        case .launchStart: launchStart
        case .launchUpdate, .legacyLaunch: launchPage * Int64(units)
        case .launchFinish: launchFinish + launchPage * Int64(units)
        case .wholeLaunch: launchStart + launchFinish + launchPage * Int64(units)
        case .report, .otherGuestRequest: report
        case .derivedKey: derivedKey
        case .platformStatus: platformStatus
        case .platformCommand: platformCommand
        }
    }
}
