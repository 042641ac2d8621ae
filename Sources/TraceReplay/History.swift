import Arbiter
import TraceFormat

/// What happened, as lanes and tables need it: requests with their answers, turns with their ends, holds.
public struct History: Sendable {
    /// A time from one instant to another; without an end it goes on beyond the trace.
    public struct Interval: Equatable, Sendable {
        public var from: Instant
        public var to: Instant?

        public init(from: Instant, to: Instant?) {
            self.from = from
            self.to = to
        }
    }

    public enum Answer: Equatable, Sendable {
        case granted(at: Instant)
        case busy(at: Instant, BusyReason)
        case failed(at: Instant, RequestError)
        /// Its client hung up.
        case vanished(at: Instant)

        public var at: Instant {
            switch self {
            case .granted(let at), .busy(let at, _), .failed(let at, _), .vanished(let at): at
            }
        }
    }

    public struct Request: Equatable, Sendable {
        public let id: RequestID
        public let vm: VMID
        public let kind: CommandKind
        public let units: UInt32
        public let maxWait: Nanoseconds?
        public let arrivedAt: Instant
        /// Whether it came in one message with the release of the turn before.
        public let cameWithRelease: Bool
        /// `nil`: it still waited when the trace ended.
        public var answer: Answer?
        /// Index of its turn in `turns`, if it was granted.
        public var turn: Int?
    }

    public struct Turn: Equatable, Sendable {
        public let id: TurnID
        /// Of what it was granted for; one that came before the trace began is not among `requests`.
        public let request: RequestID
        public let vm: VMID
        public let kind: CommandKind
        public let units: UInt32
        public var interval: Interval
        public var outcome: TurnOutcome?
    }

    public internal(set) var requests: [Request] = []
    public internal(set) var turns: [Turn] = []
    public internal(set) var holds: [Interval] = []
    public internal(set) var from: Instant?
    public internal(set) var to: Instant?

    /// Requests that have no answer yet, and turns that have no end: indices.
    private var open: [RequestID: Int] = [:]
    private var outstanding: [TurnID: Int] = [:]

    public init() {}

    public mutating func see(_ step: Replay.Step) {
        let now = step.record.now
        from = from ?? now
        to = now
        hear(step.record, now)
        for decision in step.decisions { hear(decision, now) }
        endTurns(keeping: step.turns, now)
        seeHold(step.isHeld, now)
    }

    private mutating func hear(_ record: CallRecord, _ now: Instant) {
        switch record.call {
        case .acquire(let request, let vm) where record.outcome == .done: add(request, vm, now, withRelease: false)
        case .releaseAndAcquire(let turn, let outcome, let request, let vm):
            if let index = outstanding[turn] { turns[index].outcome = outcome }
            if record.outcome == .done { add(request, vm, now, withRelease: true) }
        case .release(let turn, let outcome, _):
            if let index = outstanding[turn] { turns[index].outcome = outcome }
        case .acquirePlatform(let kind, let id) where record.outcome == .done:
            add(.init(id: id, kind: kind, units: 1, maxWait: nil), .none, now, withRelease: false)
        case .hangUp(let origin, let vm):
            for (id, index) in open where id.origin == origin && requests[index].vm == vm {
                requests[index].answer = .vanished(at: now)
                open[id] = nil
            }
        default: break
        }
    }

    private mutating func add(_ request: ArbiterCall.Request, _ vm: VMID, _ now: Instant, withRelease: Bool) {
        open[request.id] = requests.count
        requests.append(
            Request(
                id: request.id, vm: vm, kind: request.kind, units: request.units, maxWait: request.maxWait,
                arrivedAt: now, cameWithRelease: withRelease))
    }

    private mutating func hear(_ decision: Decision, _ now: Instant) {
        switch decision {
        case .granted(let id, let vm, let grant):
            outstanding[grant.turn] = turns.count
            answer(id, .granted(at: now), turn: turns.count)
            turns.append(
                Turn(
                    id: grant.turn, request: id, vm: vm, kind: grant.kind, units: grant.units,
                    interval: Interval(from: now, to: nil)))
        case .busy(let id, _, let busy): answer(id, .busy(at: now, busy.reason))
        case .failed(let id, _, let error): answer(id, .failed(at: now, error))
        default: break
        }
    }

    private mutating func answer(_ id: RequestID, _ answer: Answer, turn: Int? = nil) {
        guard let index = open.removeValue(forKey: id) else { return }
        requests[index].answer = answer
        requests[index].turn = turn
    }

    private mutating func endTurns(keeping views: [TurnView], _ now: Instant) {
        guard outstanding.count > views.count else { return }
        for (id, index) in outstanding where !views.contains(where: { $0.turn == id }) {
            turns[index].interval.to = now
            outstanding[id] = nil
        }
    }

    private mutating func seeHold(_ isHeld: Bool, _ now: Instant) {
        let isOpen = holds.last.map { $0.to == nil } ?? false
        if isHeld, !isOpen { holds.append(Interval(from: now, to: nil)) }
        if !isHeld, isOpen { holds[holds.count - 1].to = now }
    }
}
