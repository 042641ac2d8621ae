import Arbiter
import RecordWords

/// A trace that was read: its header, and which of its segments are whole.
public struct TraceFile: Sendable {
    public let origin: TraceOrigin
    public let shape: TraceShape
    /// From the oldest to the newest. At least one.
    public let segments: [Segment]
    let source: any TraceSource

    public struct Segment: Equatable, Sendable {
        /// Counted from the daemon's start.
        public let number: UInt64
        /// Of its first record, and of the last that is complete.
        public let firstRecord: UInt64
        public let lastRecord: UInt64
        /// When it was begun: on the boot clock, and on the calendar's in nanoseconds.
        public let beganAt: Instant
        public let beganAtSinceEpoch: Int64
        /// Its place in the file, in words.
        let range: Range<Int>
    }

    /// How many of a file's first bytes `isOurs` wants to see.
    public static let magicBytes = TraceMagic.bytes.count

    /// Whether a file that begins so may be a trace: also one whose writer ended before it wrote anything.
    public static func isOurs(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: TraceMagic.bytes) || bytes.allSatisfy { $0 == 0 }
    }

    /// Reads the header of a trace. Damage beyond it is found by `TraceReader`, and costs no more than it must.
    ///
    /// - Parameter beginning: the file's first bytes, which tell what it is if it is no trace.
    public init(_ source: some TraceSource, beginning: [UInt8]) throws(TraceProblem) {
        guard beginning == TraceMagic.bytes else {
            throw TraceProblem(word: 0, "it does not begin with \"SPSTRACE\": this is no trace of spschedd")
        }
        guard source.count >= TraceLimits.headerWords else {
            throw TraceProblem(word: source.count, "it ends within its header")
        }
        self.source = source
        let words = try source.words(0..<TraceLimits.headerWords)
        guard words[1] == TraceMagic.version else {
            throw TraceProblem(
                word: 1,
                "it is of version \(words[1]), and this program reads version \(TraceMagic.version): use the spschedctl"
                    + " that came with the spschedd which wrote it")
        }
        shape = try Self.shape(words)
        origin = try Self.origin(words)
        guard source.count >= shape.words else {
            throw TraceProblem(
                word: source.count,
                "it ends here, and should have \(shape.bytes) bytes: it was cut or not copied whole")
        }
        segments = try Self.segments(source, shape)
        guard !segments.isEmpty else {
            throw TraceProblem(
                word: TraceLimits.headerWords, "no segment of it is whole: nothing can be replayed")
        }
    }

    /// The same, of a whole file in memory.
    public init(_ bytes: [UInt8]) throws(TraceProblem) {
        try self.init(TraceInMemory(bytes), beginning: Array(bytes.prefix(Self.magicBytes)))
    }

    private static func shape(_ words: [UInt64]) throws(TraceProblem) -> TraceShape {
        // No file is larger than a segment may be long: products stay inside 64 bits.
        guard (2...UInt64(TraceLimits.segmentsMax)).contains(words[2]) else {
            throw TraceProblem(word: 2, "it claims to have \(words[2]) segments")
        }
        guard (UInt64(TraceLimits.segmentHeaderWords)...UInt64(RecordHead.lengthMax)).contains(words[3]) else {
            throw TraceProblem(word: 3, "it claims to have segments of \(words[3]) words")
        }
        return TraceShape(segments: Int(words[2]), wordsInSegment: Int(words[3]))
    }

    private static func origin(_ words: [UInt64]) throws(TraceProblem) -> TraceOrigin {
        let textEnd = 7 + TraceLimits.programVersionBytes / 8
        var checksum = Checksum()
        for word in words[..<textEnd] { checksum.add(word) }
        guard checksum.value == words[textEnd] else { throw TraceProblem(word: textEnd, "its header is damaged") }
        return TraceOrigin(
            epoch: words[4], startedAt: Int64(bitPattern: words[5]), startedAtSinceEpoch: Int64(bitPattern: words[6]),
            programVersion: words.text(7..<textEnd, bytes: TraceLimits.programVersionBytes))
    }

    private static func segments(_ source: some TraceSource, _ shape: TraceShape) throws(TraceProblem) -> [Segment] {
        var segments: [Segment] = []
        for index in 0..<shape.segments {
            let range = shape.segment(index)
            let header = try source.words(range.prefix(TraceLimits.segmentHeaderWords))
            guard header[0] > 0, Int((header[0] - 1) % UInt64(shape.segments)) == index,
                let segment = Segment(header, range)
            else { continue }
            segments.append(segment)
        }
        return segments.sorted { $0.number < $1.number }
    }
}

extension TraceFile.Segment {
    /// `nil`: the header is damaged.
    init?(_ header: [UInt64], _ range: Range<Int>) {
        var checksum = Checksum()
        for word in header[..<4] { checksum.add(word) }
        guard checksum.value == header[4] else { return nil }
        self.init(
            number: header[0], firstRecord: header[1], lastRecord: header[5],
            beganAt: Instant(sinceBoot: Nanoseconds(Int64(bitPattern: header[2]))),
            beganAtSinceEpoch: Int64(bitPattern: header[3]), range: range)
    }
}

extension [UInt64] {
    /// The text in these words, without the zeros at its end.
    func text(_ range: Range<Int>, bytes count: Int) -> String {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: self[range.lowerBound + $0 / 8] >> UInt64($0 % 8 * 8)) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
