import Arbiter

/// A trace that was read: its header, and which of its segments are whole.
public struct TraceFile: Sendable {
    public let origin: TraceOrigin
    public let shape: TraceShape
    /// From the oldest to the newest. At least one.
    public let segments: [Segment]
    let words: [UInt64]

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

    /// Reads a file's bytes. Damage beyond the header is found by `TraceReader`, and costs no more than it must.
    public init(_ bytes: [UInt8]) throws(TraceProblem) {
        var words: [UInt64] = []
        words.reserveCapacity(bytes.count / 8)
        for start in stride(from: 0, to: bytes.count / 8 * 8, by: 8) {
            var word: UInt64 = 0
            for byte in bytes[start..<start + 8].reversed() { word = word << 8 | UInt64(byte) }
            words.append(word)
        }
        try self.init(words: words, beginning: Array(bytes.prefix(Self.magicBytes)))
    }

    /// The same, of a file whose words have been put together.
    ///
    /// - Parameter beginning: its first bytes, which tell what it is if it is no trace.
    public init(words: [UInt64], beginning: [UInt8]) throws(TraceProblem) {
        guard beginning == TraceMagic.bytes else {
            throw TraceProblem(word: 0, "it does not begin with \"SPSTRACE\": this is no trace of spschedd")
        }
        guard words.count >= TraceLimits.headerWords else {
            throw TraceProblem(word: words.count, "it ends within its header")
        }
        self.words = words
        guard words[1] == TraceMagic.version else {
            throw TraceProblem(
                word: 1,
                "it is of version \(words[1]), and this program reads version \(TraceMagic.version): use the spschedctl"
                    + " that came with the spschedd which wrote it")
        }
        shape = try Self.shape(words)
        origin = try Self.origin(words)
        guard words.count >= shape.words else {
            throw TraceProblem(
                word: words.count, "it ends here, and should have \(shape.bytes) bytes: it was cut or not copied whole")
        }
        segments = Self.segments(words, shape)
        guard !segments.isEmpty else {
            throw TraceProblem(
                word: TraceLimits.headerWords, "no segment of it is whole: nothing can be replayed")
        }
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

    private static func segments(_ words: [UInt64], _ shape: TraceShape) -> [Segment] {
        (0..<shape.segments).compactMap { index in segment(words, shape, index) }.sorted { $0.number < $1.number }
    }

    private static func segment(_ words: [UInt64], _ shape: TraceShape, _ index: Int) -> Segment? {
        let range = shape.segment(index)
        let header = range.lowerBound
        let number = words[header]
        guard number > 0, Int((number - 1) % UInt64(shape.segments)) == index else { return nil }
        var checksum = Checksum()
        for word in words[header..<header + 4] { checksum.add(word) }
        guard checksum.value == words[header + 4] else { return nil }
        return Segment(
            number: number, firstRecord: words[header + 1], lastRecord: words[header + 5],
            beganAt: Instant(sinceBoot: Nanoseconds(Int64(bitPattern: words[header + 2]))),
            beganAtSinceEpoch: Int64(bitPattern: words[header + 3]), range: range)
    }
}

extension [UInt64] {
    /// The text in these words, without the zeros at its end.
    func text(_ range: Range<Int>, bytes count: Int) -> String {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: self[range.lowerBound + $0 / 8] >> UInt64($0 % 8 * 8)) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
