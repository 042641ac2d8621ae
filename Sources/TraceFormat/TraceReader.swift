import Arbiter

/// One thing that a trace holds, in the order in which it was written.
public enum TraceItem: Equatable, Sendable {
    /// A segment begins, with the Arbiter's state at this point.
    case segment(TraceFile.Segment, state: [UInt64])
    case name(VMID, String)
    case call(number: UInt64, CallRecord)
    /// The rest of a segment cannot be used. What follows begins anew, with a state.
    case damage(TraceProblem)
}

/// Goes through a trace, from the oldest record to the newest. It holds one segment at a time.
public struct TraceReader: Sequence, IteratorProtocol, Sendable {
    private let file: TraceFile
    private var segment = 0
    /// Of this segment, its header first; empty before it is begun.
    private var words: [UInt64] = []
    /// The next record, as a place among them.
    private var position = 0
    private var nextNumber: UInt64 = 0

    public init(_ file: TraceFile) { self.file = file }

    public mutating func next() -> TraceItem? {
        while segment < file.segments.count {
            do throws(TraceProblem) {
                if words.isEmpty { return try begin(file.segments[segment]) }
                if nextNumber <= file.segments[segment].lastRecord { return try record() }
                if let gap = gapBeforeNext() {
                    leaveSegment()
                    return .damage(gap)
                }
                leaveSegment()
            } catch {
                leaveSegment()
                return .damage(error)
            }
        }
        return nil
    }

    private mutating func leaveSegment() {
        segment += 1
        words = []
    }

    /// Segments that lie side by side in time have no records between them.
    private func gapBeforeNext() -> TraceProblem? {
        guard segment + 1 < file.segments.count else { return nil }
        let following = file.segments[segment + 1]
        guard following.firstRecord != nextNumber else { return nil }
        return TraceProblem(
            word: following.range.lowerBound,
            "records \(nextNumber) to \(following.firstRecord &- 1) are missing before segment \(following.number)")
    }

    // MARK: Records

    private mutating func begin(_ segment: TraceFile.Segment) throws(TraceProblem) -> TraceItem {
        words = try file.source.words(segment.range)
        guard words[0] == segment.number else {
            throw TraceProblem(
                word: segment.range.lowerBound, "segment \(segment.number) was written over while the trace was read")
        }
        position = TraceLimits.segmentHeaderWords
        nextNumber = segment.firstRecord
        let (head, range) = try sound()
        guard head.kind == .state else {
            throw problem(at: range.lowerBound, "segment \(segment.number) does not begin with a state")
        }
        return .segment(segment, state: Array(words[(range.lowerBound + RecordHead.words)..<range.upperBound]))
    }

    private mutating func record() throws(TraceProblem) -> TraceItem {
        let number = nextNumber
        let (head, range) = try sound()
        var reader = WordReader(
            words, range.lowerBound + RecordHead.words..<range.upperBound, beginsAt: beginning)
        let item: TraceItem
        switch head.kind {
        case .state: throw problem(at: range.lowerBound, "a state stands among the calls")
        case .name: item = try name(&reader)
        case .call: item = .call(number: number, try call(head, &reader))
        }
        guard reader.isAtEnd else { throw reader.problem("a record is longer than what it holds") }
        return item
    }

    /// The next record, which is whole and has the number that it should have.
    private mutating func sound() throws(TraceProblem) -> (RecordHead, Range<Int>) {
        let start = position
        func problem(_ message: String) -> TraceProblem {
            self.problem(at: start, "record \(nextNumber) \(message)")
        }
        guard start + RecordHead.words <= words.count, let head = RecordHead(word: words[start]),
            start + head.length <= words.count
        else { throw problem("is damaged: no record begins like this") }
        let range = start..<start + head.length
        guard words[start + 1] == nextNumber else {
            throw problem("is missing: record \(words[start + 1]) stands in its place")
        }
        guard words.checksum(range) == words[start + 2] else { throw problem("is damaged: its checksum is wrong") }
        position = range.upperBound
        nextNumber &+= 1
        return (head, range)
    }

    /// Where the words at hand begin in the file.
    private var beginning: Int { file.segments[segment].range.lowerBound }

    private func problem(at place: Int, _ message: String) -> TraceProblem {
        TraceProblem(word: beginning + place, message)
    }

    private func name(_ words: inout WordReader) throws(TraceProblem) -> TraceItem {
        let vm = try words.vm()
        let count = try words.word()
        guard count <= UInt64(TraceLimits.nameBytes) else { throw words.problem("a name of \(count) bytes") }
        var bytes: [UInt8] = []
        while bytes.count < Int(count) {
            let word = try words.word()
            for index in 0..<Swift.min(8, Int(count) - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index)))
            }
        }
        return .name(vm, String(decoding: bytes, as: UTF8.self))
    }

    private func call(_ head: RecordHead, _ words: inout WordReader) throws(TraceProblem) -> CallRecord {
        let kind = try words.value(CallKind.self, UInt64(head.call))
        let outcome = try words.value(OutcomeKind.self, UInt64(head.outcome))
        guard head.decisions <= TraceLimits.decisionsShown else {
            throw words.problem("a call shows \(head.decisions) decisions")
        }
        let now = Instant(sinceBoot: try words.duration())
        guard now > .distantPast, now < .distantFuture else { throw words.problem("a call beyond the end of time") }
        var record = CallRecord(
            now: now, call: try ArbiterCall(kind, &words), outcome: try CallOutcome(outcome, &words), decisions: [])
        for _ in 0..<head.decisions { record.decisions.append(try Decision(&words)) }
        if head.hasFurther {
            record.further = FurtherDecisions(count: try words.word(), digest: try words.word())
        }
        return record
    }
}
