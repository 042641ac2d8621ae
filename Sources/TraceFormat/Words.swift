/// Records are made of 64-bit words, which stand little-endian in the file.
extension MutableSpan<UInt64> {
    /// Writes a word and goes on to the next. Traps outside the span.
    @inline(__always)
    mutating func put(_ word: UInt64, at position: inout Int) {
        self[position] = word.littleEndian
        position &+= 1
    }

    @inline(__always)
    mutating func put(_ value: Int64, at position: inout Int) { put(UInt64(bitPattern: value), at: &position) }

    mutating func put(_ flag: Bool, at position: inout Int) { put(UInt64(flag ? 1 : 0), at: &position) }
}

/// Reads words that were written by `put`, in the same order, and believes nothing.
struct WordReader {
    private let words: [UInt64]
    /// The next word, and the end, as places among them.
    private var position: Int
    private let end: Int
    /// Where the words begin in the file.
    private let beginning: Int

    init(_ words: [UInt64], _ range: Range<Int>, beginsAt beginning: Int) {
        self.words = words
        self.beginning = beginning
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    func problem(_ message: String) -> TraceProblem { TraceProblem(word: beginning + position, message) }

    mutating func word() throws(TraceProblem) -> UInt64 {
        guard position < end else { throw problem("a record ends too early") }
        defer { position += 1 }
        return words[position]
    }

    mutating func integer() throws(TraceProblem) -> Int64 { Int64(bitPattern: try word()) }

    mutating func isSet() throws(TraceProblem) -> Bool {
        let word = try word()
        guard word <= 1 else { throw problem("\(word) is neither yes nor no") }
        return word == 1
    }

    mutating func value<Value: RawRepresentable>(_ type: Value.Type, _ raw: UInt64) throws(TraceProblem) -> Value
    where Value.RawValue: FixedWidthInteger {
        guard let known = Value.RawValue(exactly: raw), let value = Value(rawValue: known) else {
            throw problem("\(raw) is no \(type)")
        }
        return value
    }
}

/// What is wrong with a trace, and where.
public struct TraceProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The place in the file, in bytes.
    public let offset: Int
    public let message: String

    public init(word: Int, _ message: String) {
        offset = word * 8
        self.message = message
    }

    public var description: String { "at byte \(offset): \(message)" }
}
