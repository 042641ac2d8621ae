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

/// Sums up words so that a torn or damaged record is noticed: each word is multiplied by an odd number of its own, so
/// that no change of one word goes unnoticed, and all products can be reckoned at once.
struct Checksum {
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C14

    private(set) var sum: UInt64 = 0x7370_7363_6865_6464
    private var factor: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    mutating func add(_ word: UInt64) {
        sum &+= (word ^ (factor &>> 32)) &* factor
        factor &+= Self.step
    }

    /// The sum with its high bits, in which all words meet, folded into the low ones.
    var value: UInt64 { sum ^ (sum &>> 29) }
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
