import Arbiter
import TraceFormat

/// A trace as a play: what its clients do by themselves, and how long each turn took.
struct Script {
    /// What comes when it came.
    struct Event {
        let at: Instant
        let call: ArbiterCall
        let outcome: CallOutcome
    }

    enum Occupancy: Equatable {
        case took(Nanoseconds)
        /// Its lease ended, or its client was gone.
        case neverReturned
        /// It was not granted, or the trace ended before the turn did.
        case unknown
    }

    struct Request {
        let id: RequestID
        let vm: VMID
        let kind: CommandKind
        let units: UInt32
        let maxWait: Nanoseconds?
        let arrivedAt: Instant
        let cameWithRelease: Bool
        let occupancy: Occupancy
        let outcome: TurnOutcome?
    }

    /// One thing that a launching client does, or a guest's request; `pause` after the thing before was over.
    struct Step {
        enum Deed {
            case begin(LaunchPlan)
            case request(Int)
            case end(SessionID)
        }

        let deed: Deed
        let at: Instant
        let pause: Nanoseconds
    }

    private(set) var events: [Event] = []
    private(set) var requests: [Request] = []
    private(set) var steps: [StreamKey: [Step]] = [:]
    /// When each turn was returned that was outstanding at the beginning.
    private(set) var returns: [TurnID: (at: Instant, outcome: TurnOutcome)] = [:]
    /// Turns of requests that waited at the beginning.
    private(set) var early: [RequestID: (occupancy: Occupancy, outcome: TurnOutcome?)] = [:]
    private var probes: [(at: Instant, outcome: ProbeOutcome)] = []
    let end: Instant

    init(_ history: History, _ calls: [CallRecord]) {
        end = history.to ?? .distantPast
        requests = history.requests.map { request in Self.request(request, history) }
        let asked = Set(history.requests.map(\.id))
        for turn in history.turns where !asked.contains(turn.request) {
            early[turn.request] = (Self.occupancy(turn), turn.outcome)
        }
        var place = Places(history)
        for record in calls {
            noteReturn(record)
            read(record, history, &place)
        }
    }

    private mutating func noteReturn(_ record: CallRecord) {
        switch record.call {
        case .release(let turn, let outcome, _), .releaseAndAcquire(let turn, let outcome, _, _):
            if record.outcome != .mistake(.unknownTurn) { returns[turn] = (record.now, outcome) }
        default: break
        }
    }

    private static func request(_ request: History.Request, _ history: History) -> Request {
        let turn = request.turn.map { history.turns[$0] }
        return Request(
            id: request.id, vm: request.vm, kind: request.kind, units: request.units, maxWait: request.maxWait,
            arrivedAt: request.arrivedAt, cameWithRelease: request.cameWithRelease,
            occupancy: turn.map(occupancy) ?? .unknown, outcome: turn?.outcome)
    }

    private static func occupancy(_ turn: History.Turn) -> Occupancy {
        guard let to = turn.interval.to else { return .unknown }
        return turn.outcome == nil ? .neverReturned : .took(to - turn.interval.from)
    }

    /// Sorts one call: into a stream that has its own time, or among what comes when it came.
    private mutating func read(_ record: CallRecord, _ history: History, _ places: inout Places) {
        switch record.call {
        case .advance, .release, .releasePlatform: break
        case .probeReturned(let outcome): probes.append((record.now, outcome))
        case .acquire(let request, let vm):
            if record.outcome == .done { add(.request(places.next()), request.kind, vm, record.now, &places) }
        case .releaseAndAcquire(_, _, let request, let vm):
            if record.outcome == .done { add(.request(places.next()), request.kind, vm, record.now, &places) }
        case .acquirePlatform(let kind, _):
            guard record.outcome == .done else { return }
            add(.request(places.next()), kind, .none, record.now, &places)
        case .beginLaunch(let plan, let vm): add(.begin(plan), .launchStart, vm, record.now, &places)
        case .endLaunch(let session, let vm):
            if record.outcome == .done { add(.end(session), .launchStart, vm, record.now, &places) }
        default: events.append(Event(at: record.now, call: record.call, outcome: record.outcome))
        }
    }

    private mutating func add(
        _ deed: Step.Deed, _ kind: CommandKind, _ vm: VMID, _ now: Instant, _ places: inout Places
    ) {
        let key = StreamKey(vm: vm, part: kind.commandClass)
        let before = places.over[key] ?? nil
        steps[key, default: []].append(Step(deed: deed, at: now, pause: before.map { now - $0 } ?? .zero))
        places.over[key] = now
        if case .request(let index) = deed { places.over[key] = places.endOf(index) }
    }

    /// What a probe that is asked for now will find.
    func probe(after now: Instant) -> ProbeOutcome { probes.first { $0.at >= now }?.outcome ?? .returned }

    func stream(of request: Int) -> StreamKey {
        StreamKey(vm: requests[request].vm, part: requests[request].kind.commandClass)
    }

    func issue(_ request: Int) -> ArbiterCall.Request {
        let asked = requests[request]
        return .init(id: asked.id, kind: asked.kind, units: asked.units, maxWait: asked.maxWait)
    }

    /// While the calls are read: the next request in the history, and when each stream's last step was over.
    private struct Places {
        private let history: History
        private var index = -1
        /// `nil` where the end is not known.
        var over: [StreamKey: Instant?] = [:]

        init(_ history: History) { self.history = history }

        mutating func next() -> Int {
            index += 1
            return index
        }

        func endOf(_ request: Int) -> Instant? {
            let request = history.requests[request]
            guard let turn = request.turn else { return request.answer?.at }
            return history.turns[turn].interval.to
        }
    }
}

/// What follows one another by itself: one VM's launches, or its guest's requests, or platform commands.
struct StreamKey: Hashable {
    let vm: VMID
    let part: CommandClass
}
