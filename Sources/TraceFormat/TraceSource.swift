/// Where the words of a trace come from, a part at a time: a trace may be larger than what a reader wants to hold.
public protocol TraceSource: Sendable {
    /// How many whole words there are.
    var count: Int { get }

    /// These words, all of which are below `count`.
    func words(_ range: Range<Int>) throws(TraceProblem) -> [UInt64]
}

/// A trace that is in memory.
struct TraceInMemory: TraceSource {
    private let words: [UInt64]

    init(_ bytes: [UInt8]) {
        words = stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { start in
            bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    var count: Int { words.count }

    func words(_ range: Range<Int>) -> [UInt64] { Array(words[range]) }
}
