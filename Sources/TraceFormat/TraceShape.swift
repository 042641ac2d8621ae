/// How a trace's file is divided: a header, and segments of the same size that are written in turn.
public struct TraceShape: Equatable, Sendable {
    public let segments: Int
    public let wordsInSegment: Int

    public init(segments: Int, wordsInSegment: Int) {
        self.segments = segments
        self.wordsInSegment = wordsInSegment
    }

    /// The largest that is no larger than `bytes`.
    public init(bytes: Int) {
        self.init(
            segments: TraceLimits.segments,
            wordsInSegment: (bytes / 8 - TraceLimits.headerWords) / TraceLimits.segments)
    }

    public var words: Int { TraceLimits.headerWords + segments * wordsInSegment }
    public var bytes: Int { words * 8 }

    /// The words of one segment, its header first.
    func segment(_ index: Int) -> Range<Int> {
        let start = TraceLimits.headerWords + index * wordsInSegment
        return start..<start + wordsInSegment
    }
}

/// Whose trace it is: the file's header.
public struct TraceOrigin: Equatable, Sendable {
    /// The daemon's, drawn anew at each start.
    public var epoch: UInt64
    /// When it started: on the boot clock and on the calendar's, both in nanoseconds.
    public var startedAt: Int64
    public var startedAtSinceEpoch: Int64
    /// What wrote it.
    public var programVersion: String

    public init(epoch: UInt64, startedAt: Int64, startedAtSinceEpoch: Int64, programVersion: String) {
        self.epoch = epoch
        self.startedAt = startedAt
        self.startedAtSinceEpoch = startedAtSinceEpoch
        self.programVersion = programVersion
    }
}

enum TraceMagic {
    /// "SPSTRACE", as the bytes stand in the file.
    static let word: UInt64 = 0x4543_4152_5453_5053
    static let bytes = Array("SPSTRACE".utf8)
    /// Of this format. To be raised with each change that an older reader would misunderstand.
    static let version: UInt64 = 1
}
