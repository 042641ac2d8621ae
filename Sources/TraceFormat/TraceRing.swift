import Arbiter
import RecordWords

/// Writes a trace into memory that is lent with each call: the ring's places and numbers, and no I/O.
///
/// ```
///   header │ segment 1: state, names, call, call, … │ segment 2: state, … │ … │ segment n
///            ▲                                        └─ written over when the last is full
///            └─ each begins with the Arbiter's state, so that replay can begin there
/// ```
///
/// A record is complete once the segment's header says its number; whoever reads after a crash reads so far. A segment
/// that is being written over has no number until its state and names are there.
public struct TraceRing: Sendable {
    public let shape: TraceShape
    private var segment = -1
    private var segmentNumber: UInt64 = 0
    private var position = 0
    private var end = 0
    /// Of the last record, and of the first in this segment.
    private var number: UInt64 = 0
    private var firstNumber: UInt64 = 0
    private var isOpen = false
    /// A new segment should be begun when there is time.
    private var wantsSegmentFrom = 0

    public init(_ shape: TraceShape) { self.shape = shape }

    /// Writes the file's header. To be done once, on memory that is zero.
    public func begin(_ origin: TraceOrigin, into words: inout MutableSpan<UInt64>) {
        var position = 0
        words.put(TraceMagic.word, at: &position)
        words.put(TraceMagic.version, at: &position)
        words.put(UInt64(shape.segments), at: &position)
        words.put(UInt64(shape.wordsInSegment), at: &position)
        words.put(origin.epoch, at: &position)
        words.put(origin.startedAt, at: &position)
        words.put(origin.startedAtSinceEpoch, at: &position)
        let version = Array(origin.programVersion.utf8)
        words.put(
            text: version, min(version.count, TraceLimits.programVersionBytes),
            paddedTo: TraceLimits.programVersionBytes, at: &position)
        var checksum = Checksum()
        for index in 0..<position { checksum.add(UInt64(littleEndian: words[index])) }
        words.put(checksum.value, at: &position)
    }

    /// Where the next record will begin, in words.
    public var nextPosition: Int { position }

    // MARK: Segments

    /// Whether the next call may not fit. A new segment must be begun before it is made.
    @inline(__always)
    public var needsSegment: Bool { end &- position < TraceLimits.callWordsMax }

    /// Whether it is time to begin one, before it must be done while somebody waits.
    @inline(__always)
    public var wantsSegment: Bool { position >= wantsSegmentFrom }

    /// Begins a segment, over the oldest, with the Arbiter's state. The names follow by `name`, then `open`.
    ///
    /// - Returns: whether it fits, with `names` names and room for as much again; if not, nothing was written.
    public mutating func beginSegment(state: [UInt64], names: Int, into words: inout MutableSpan<UInt64>) -> Bool {
        let needed =
            TraceLimits.segmentHeaderWords + RecordHead.words + state.count + names * TraceLimits.nameWordsMax
        guard needed <= shape.wordsInSegment / 2, RecordHead.words + state.count <= RecordHead.lengthMax else {
            return false
        }
        segment = (segment + 1) % shape.segments
        segmentNumber += 1
        let range = shape.segment(segment)
        for index in range.prefix(TraceLimits.segmentHeaderWords) { words[index] = 0 }
        position = range.lowerBound + TraceLimits.segmentHeaderWords
        end = range.upperBound
        wantsSegmentFrom = end - shape.wordsInSegment / 8
        let start = position
        position += RecordHead.words
        for word in state { words.put(word, at: &position) }
        number += 1
        firstNumber = number
        isOpen = false
        words.seal(RecordHead(kind: .state, length: position - start), number: number, at: start)
        return true
    }

    /// Records what a VM is called. There is room for as many as `beginSegment` was told; later, `needsSegment` says.
    public mutating func name(_ vm: VMID, _ name: [UInt8], into words: inout MutableSpan<UInt64>) {
        let start = position
        position += RecordHead.words
        let count = min(name.count, TraceLimits.nameBytes)
        words.put(vm.word, at: &position)
        words.put(UInt64(count), at: &position)
        words.put(text: name, count, paddedTo: (count + 7) / 8 * 8, at: &position)
        number += 1
        words.seal(RecordHead(kind: .name, length: position - start), number: number, at: start)
        if isOpen { complete(&words) }
    }

    /// The segment can be read from now on.
    ///
    /// - Parameter sinceEpoch: the calendar's time, in nanoseconds.
    public mutating func openSegment(at now: Instant, sinceEpoch: Int64, into words: inout MutableSpan<UInt64>) {
        let start = shape.segment(segment).lowerBound
        var header = start + 1
        words.put(firstNumber, at: &header)
        words.put(now.sinceBoot.count, at: &header)
        words.put(sinceEpoch, at: &header)
        var checksum = Checksum()
        checksum.add(segmentNumber)
        for index in start + 1..<header { checksum.add(UInt64(littleEndian: words[index])) }
        words.put(checksum.value, at: &header)
        isOpen = true
        complete(&words)
        words[start] = segmentNumber.littleEndian
    }

    /// All that was written so far may be read.
    @inline(__always)
    private func complete(_ words: inout MutableSpan<UInt64>) {
        words[shape.segment(segment).lowerBound + 5] = number.littleEndian
    }

    // MARK: Calls

    /// Records a call and what came of it: the decisions from `first` on.
    @inline(__always)
    public mutating func record(
        _ call: ArbiterCall, _ outcome: CallOutcome, _ decisions: [Decision], from first: Int, at now: Instant,
        into words: inout MutableSpan<UInt64>
    ) {
        let start = position
        var next = start &+ RecordHead.words
        words.put(now.sinceBoot.count, at: &next)
        call.encode(into: &words, at: &next)
        outcome.encode(into: &words, at: &next)
        let count = decisions.count &- first
        let shown = min(count, TraceLimits.decisionsShown)
        for index in first..<first &+ shown { decisions[index].encode(into: &words, at: &next) }
        var head = RecordHead(kind: .call, length: 0)
        if count > shown {
            head.hasFurther = true
            words.putDigest(of: decisions[(first + shown)...], at: &next)
        }
        head.call = call.kind.rawValue
        head.outcome = outcome.kind.rawValue
        head.decisions = UInt8(truncatingIfNeeded: shown)
        head.length = next &- start
        number &+= 1
        words.seal(head, number: number, at: start)
        position = next
        complete(&words)
    }
}

extension MutableSpan<UInt64> {
    /// Writes the first `count` bytes of a text, eight a word, and zeros up to `length`, a multiple of eight.
    fileprivate mutating func put(text: [UInt8], _ count: Int, paddedTo length: Int, at position: inout Int) {
        for start in stride(from: 0, to: length, by: 8) {
            var word: UInt64 = 0
            for index in start..<start + 8 where index < count {
                word |= UInt64(text[index]) << UInt64(8 * (index - start))
            }
            put(word, at: &position)
        }
    }

    /// How many decisions these are, and a digest of them. Each is written where the next word goes, and over it again.
    @inline(never)
    mutating func putDigest(of decisions: ArraySlice<Decision>, at position: inout Int) {
        var digest = Checksum()
        for decision in decisions {
            var end = position
            decision.encode(into: &self, at: &end)
            for index in position..<end { digest.add(UInt64(littleEndian: self[index])) }
        }
        put(UInt64(decisions.count), at: &position)
        put(digest.value, at: &position)
    }
}

extension CallRecord {
    /// What would be recorded of a call and all its decisions.
    public init(now: Instant, call: ArbiterCall, outcome: CallOutcome, all decisions: [Decision]) {
        var further: FurtherDecisions?
        if decisions.count > TraceLimits.decisionsShown {
            var words = [UInt64](repeating: 0, count: TraceLimits.callWordsMax)
            var span = words.mutableSpan
            var position = 0
            span.putDigest(of: decisions[TraceLimits.decisionsShown...], at: &position)
            further = FurtherDecisions(
                count: UInt64(littleEndian: words[0]), digest: UInt64(littleEndian: words[1]))
        }
        self.init(
            now: now, call: call, outcome: outcome, decisions: Array(decisions.prefix(TraceLimits.decisionsShown)),
            further: further)
    }
}
