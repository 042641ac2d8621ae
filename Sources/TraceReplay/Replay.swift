import Arbiter
import TraceFormat

/// Runs a trace through the Arbiter: each call as it was made, and what comes out against what was recorded.
public struct Replay: ~Copyable {
    /// `nil` before the first state, and after damage until the next.
    private var arbiter: Arbiter?
    private var decisions: [Decision] = []
    public private(set) var summary = ReplaySummary()
    public private(set) var names: [VMID: String] = [:]

    public init() {}

    /// One call that was replayed.
    public struct Step {
        public let number: UInt64
        /// As it was recorded: with what came out, if there was no difference.
        public let record: CallRecord
        /// All decisions, also those of which the trace has only a digest.
        public let decisions: [Decision]
        /// Outstanding after the call.
        public let turns: [TurnView]
        /// Whether the SP is then kept for a launch.
        public let isHeld: Bool
    }

    /// Replays the file up to its end or the first difference.
    ///
    /// - Parameter see: told of each call that came out as recorded. `began` is told of each segment.
    public mutating func run(
        _ file: TraceFile, began: (TraceFile.Segment, [UInt64]) -> Void = { _, _ in }, see: (Step) -> Void = { _ in }
    ) {
        for item in TraceReader(file) {
            switch item {
            case .segment(let segment, let state):
                guard begin(segment, state) else { return }
                began(segment, state)
            case .name(let vm, let name): names[vm] = name
            case .damage(let problem):
                summary.damages.append(problem)
                arbiter = nil
            case .call(let number, let record):
                guard let step = play(number, record) else { return }
                see(step)
            }
        }
    }

    /// - Returns: whether the state is the one that the calls before have led to.
    private mutating func begin(_ segment: TraceFile.Segment, _ state: [UInt64]) -> Bool {
        summary.segments += 1
        if arbiter != nil {
            var reached: [UInt64] = []
            arbiter!.save(into: &reached)
            if reached == state { return true }
            let word = zip(reached, state).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            summary.difference = .state(segment: segment.number, word: word ?? min(reached.count, state.count))
            return false
        }
        do throws(StateProblem) {
            arbiter = try Arbiter.restored(from: state)
        } catch {
            summary.unusableStates.append(UnusableState(segment: segment.number, problem: error))
        }
        return true
    }

    /// `nil`: it came out otherwise.
    private mutating func play(_ number: UInt64, _ record: CallRecord) -> Step? {
        guard arbiter != nil else {
            summary.callsSkipped += 1
            return Step(number: number, record: record, decisions: record.decisions, turns: [], isHeld: false)
        }
        decisions.removeAll(keepingCapacity: true)
        let outcome = arbiter!.perform(record.call, now: record.now, into: &decisions)
        let came = CallRecord(now: record.now, call: record.call, outcome: outcome, all: decisions)
        guard came == record else {
            summary.difference = .call(number: number, recorded: record, cameOut: came)
            return nil
        }
        summary.count(record, decisions)
        let overview = arbiter!.overview(now: record.now)
        return Step(
            number: number, record: record, decisions: decisions,
            turns: [overview.turn, overview.turnBeside].compactMap(\.self), isHeld: overview.isHolding)
    }
}

/// What a replay came to.
public struct ReplaySummary: Equatable, Sendable {
    public var segments = 0
    public var calls = 0
    /// Between damage, or a state that cannot be used, and the next state.
    public var callsSkipped = 0
    public var decisions = 0
    public var grants = 0
    public var refusals: [BusyReason: Int] = [:]
    public var registrations = 0
    public var launches = 0
    public var from: Instant?
    public var to: Instant?
    public var damages: [TraceProblem] = []
    public var unusableStates: [UnusableState] = []
    public var difference: ReplayDifference?

    fileprivate mutating func count(_ record: CallRecord, _ all: [Decision]) {
        calls += 1
        decisions += all.count
        from = from ?? record.now
        to = record.now
        switch record.outcome {
        case .admitted: registrations += 1
        case .launchBegun: launches += 1
        case .launchRefused(let busy): refusals[busy.reason, default: 0] += 1
        default: break
        }
        for decision in all {
            switch decision {
            case .granted: grants += 1
            case .busy(_, _, let busy): refusals[busy.reason, default: 0] += 1
            default: break
            }
        }
    }
}

public struct UnusableState: Equatable, Sendable {
    public let segment: UInt64
    public let problem: StateProblem
}

/// The first thing that came out otherwise than it was recorded.
public enum ReplayDifference: Equatable, Sendable {
    case call(number: UInt64, recorded: CallRecord, cameOut: CallRecord)
    /// The calls of the segment before led to another state than was saved; `word` is the first that differs.
    case state(segment: UInt64, word: Int)
}
