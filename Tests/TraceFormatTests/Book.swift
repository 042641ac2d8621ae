import Arbiter

@testable import TraceFormat

/// A trace in memory.
struct Book {
    static let origin = TraceOrigin(
        epoch: 0x0123_4567_89AB_CDEF, startedAt: 1_000_000_000, startedAtSinceEpoch: 1_800_000_000_000_000_000,
        programVersion: "1.2.3")

    var ring: TraceRing
    var words: [UInt64]
    var now = Instant(sinceBoot: .seconds(1))
    private(set) var segmentsBegun = 0

    init(shape: TraceShape = TraceShape(segments: 2, wordsInSegment: 2_000)) {
        ring = TraceRing(shape)
        words = Array(repeating: 0, count: shape.words)
        write { $0.begin(Self.origin, into: &$1) }
    }

    mutating func begin(state: [UInt64] = [11, 22, 33], names: [(VMID, String)] = []) {
        precondition(tryBegin(state: state, names: names))
    }

    mutating func tryBegin(state: [UInt64], names: [(VMID, String)] = []) -> Bool {
        guard beginWithoutOpening(state: state, names: names) else { return false }
        let now = now
        write { ring, words in
            ring.openSegment(at: now, sinceEpoch: 1_800_000_000_000_000_000 + now.sinceBoot.count, into: &words)
        }
        return true
    }

    @discardableResult
    mutating func beginWithoutOpening(state: [UInt64] = [11, 22, 33], names: [(VMID, String)] = []) -> Bool {
        guard write({ $0.beginSegment(state: state, names: names.count, into: &$1) }) else { return false }
        segmentsBegun += 1
        for (vm, name) in names { self.name(vm, name) }
        return true
    }

    mutating func name(_ vm: VMID, _ name: String) { write { $0.name(vm, Array(name.utf8), into: &$1) } }

    mutating func record(_ call: ArbiterCall, _ outcome: CallOutcome, _ decisions: [Decision]) {
        now += .milliseconds(1)
        record(CallRecord(now: now, call: call, outcome: outcome, decisions: decisions))
    }

    mutating func record(_ record: CallRecord) {
        write { $0.record(record.call, record.outcome, record.decisions, from: 0, at: record.now, into: &$1) }
    }

    private mutating func write<Result>(_ body: (inout TraceRing, inout MutableSpan<UInt64>) -> Result) -> Result {
        var written = ring
        var span = words.mutableSpan
        let result = body(&written, &span)
        ring = written
        return result
    }

    /// How many words a record with these decisions takes.
    mutating func wordsOf(_ record: CallRecord, decisions: [Decision]) -> Int {
        var record = record
        record.decisions = decisions
        self.record(record)
        return words.lastIndex { $0 != 0 }.map { last in
            let first = TraceLimits.headerWords + TraceLimits.segmentHeaderWords + RecordHead.words + 3
            return last + 1 - first
        } ?? 0
    }

    // MARK: Reading

    var bytes: [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * $0)) } }
    }

    func file() throws(TraceProblem) -> TraceFile { try TraceFile(bytes) }
    func items() throws(TraceProblem) -> [TraceItem] { Array(TraceReader(try file())) }

    func calls() throws(TraceProblem) -> [CallRecord] {
        try items().compactMap { if case .call(_, let record) = $0 { record } else { nil } }
    }
}
