/// Writing a state down as 64-bit words. Nothing here can fail, and nothing allocates while the array has room.
extension [UInt64] {
    mutating func put(_ value: Int64) { append(UInt64(bitPattern: value)) }
    mutating func put(_ value: Int) { put(Int64(value)) }
    mutating func put(_ value: UInt32) { append(UInt64(value)) }
    mutating func put(_ value: Nanoseconds) { put(value.count) }
    mutating func put(_ value: Instant) { put(value.sinceBoot.count) }
    mutating func put(_ value: Rate) { put(value.millihertz) }
    mutating func put(_ value: CellRate) { put(value.theoreticalArrival) }
    mutating func put(_ value: VMID) { append(UInt64(value.slot) | UInt64(value.generation) << 32) }

    mutating func put(_ value: RequestID) {
        append(value.origin)
        append(value.tag)
    }

    mutating func put(_ value: some RawRepresentable<UInt8>) { append(UInt64(value.rawValue)) }
    mutating func put(_ value: CommandKind) { append(UInt64(value.rawValue)) }

    /// Truths in one word, the first in the lowest bit.
    mutating func put(
        flags first: Bool, _ second: Bool = false, _ third: Bool = false, _ fourth: Bool = false, _ fifth: Bool = false
    ) {
        let low: UInt64 = (first ? 1 : 0) | (second ? 2 : 0) | (third ? 4 : 0)
        append(low | (fourth ? 8 : 0) | (fifth ? 16 : 0))
    }

    /// One word that says whether there is a value, then the value.
    mutating func put<Value>(optional value: Value?, _ body: (inout Self, Value) -> Void) {
        append(value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }
}

/// Why a saved state cannot be used.
public struct StateProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The word at which reading failed.
    public let word: Int
    /// What is wrong there, as the end of a sentence that begins with "the saved state".
    public let message: String

    public var description: String { "the saved state \(message) (word \(word))" }
}

/// Reads what was written by `put`, in the same order, and believes nothing.
struct StateReader {
    let words: [UInt64]
    private(set) var position = 0

    init(_ words: [UInt64]) { self.words = words }

    func problem(_ message: String) -> StateProblem { StateProblem(word: position, message: message) }

    mutating func word() throws(StateProblem) -> UInt64 {
        guard position < words.count else { throw problem("ends too early") }
        defer { position += 1 }
        return words[position]
    }

    mutating func integer() throws(StateProblem) -> Int64 { Int64(bitPattern: try word()) }

    /// An integer inside `range`; `what` names it.
    mutating func integer(in range: ClosedRange<Int64>, _ what: String) throws(StateProblem) -> Int64 {
        let value = try integer()
        guard range.contains(value) else {
            position -= 1
            throw problem("says \(value) for \(what), which must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func count(atMost most: Int, _ what: String) throws(StateProblem) -> Int {
        Int(try integer(in: 0...Int64(most), what))
    }

    mutating func slot(below count: Int) throws(StateProblem) -> Int {
        Int(try integer(in: 0...Int64(count - 1), "a slot"))
    }

    // MARK: Times and sums: whatever is reckoned with them later must stay inside 64 bits

    /// More than a host lives: 30 years. Eight of them fit, or half of the range and four.
    private static let lifetime = Nanoseconds.seconds(30 * 366 * 86_400).count
    /// Within half of the range: good for comparing, and for adding a moment.
    private static let times = Instant.distantPast.sinceBoot.count...Instant.distantFuture.sinceBoot.count

    mutating func duration() throws(StateProblem) -> Nanoseconds {
        Nanoseconds(try integer(in: -Self.lifetime...Self.lifetime, "a duration"))
    }

    /// SP time of one turn or one launch: it is multiplied by up to 256. Far more than the largest launch takes.
    mutating func work() throws(StateProblem) -> Nanoseconds {
        Nanoseconds(try integer(in: 0...Nanoseconds.seconds(100 * 86_400).count, "the work of a turn or launch"))
    }

    /// SP time since the boot.
    mutating func service() throws(StateProblem) -> Nanoseconds {
        Nanoseconds(try integer(in: 0...Self.lifetime, "an SP time"))
    }

    /// How often something happened: sums of several fit a signed number, too.
    mutating func counter() throws(StateProblem) -> UInt64 {
        UInt64(try integer(in: 0...1 << 60, "a counter"))
    }

    /// A number of a row that is counted up.
    mutating func sequence() throws(StateProblem) -> Int64 { try integer(in: 0...1 << 60, "a number in a row") }

    /// Any instant, for those that are compared only.
    mutating func instant() throws(StateProblem) -> Instant {
        Instant(sinceBoot: Nanoseconds(try integer(in: Self.times, "an instant")))
    }

    /// An instant in the life of a host, or one of the two distant ones.
    mutating func moment() throws(StateProblem) -> Instant {
        let instant = try instant()
        guard
            instant == .distantPast || instant == .distantFuture || instant.sinceBoot.count.magnitude <= Self.lifetime
        else {
            position -= 1
            throw problem("has an instant in which no host lives")
        }
        return instant
    }

    /// The next word, without taking it: the level of a bucket of launch work.
    func checkLevel(atMost most: Nanoseconds) throws(StateProblem) {
        var ahead = self
        _ = try ahead.integer(in: 0...most.count, "the level of a bucket")
    }

    mutating func rate() throws(StateProblem) -> Rate {
        Rate(millihertz: try integer(in: 0...Limits.mostRate.millihertz, "a rate"))
    }

    mutating func unsigned32() throws(StateProblem) -> UInt32 {
        UInt32(try integer(in: 0...Int64(UInt32.max), "a number of 32 bits"))
    }

    mutating func vm() throws(StateProblem) -> VMID {
        let word = try word()
        return VMID(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }

    mutating func request() throws(StateProblem) -> RequestID {
        RequestID(origin: try word(), tag: try word())
    }

    mutating func choice<Value: RawRepresentable>(_ type: Value.Type) throws(StateProblem) -> Value
    where Value.RawValue: FixedWidthInteger {
        let raw = try word()
        guard let known = Value.RawValue(exactly: raw), let value = Value(rawValue: known) else {
            position -= 1
            throw problem("says \(raw) for a \(type), which is none")
        }
        return value
    }

    mutating func flags(_ count: Int) throws(StateProblem) -> [Bool] {
        let word = try word()
        guard word >> UInt64(count) == 0 else {
            position -= 1
            throw problem("has flags that mean nothing")
        }
        return (0..<count).map { word >> UInt64($0) & 1 == 1 }
    }

    mutating func optional<Value>(
        _ body: (inout Self) throws(StateProblem) -> Value
    ) throws(StateProblem) -> Value? {
        try integer(in: 0...1, "whether there is a value") == 1 ? try body(&self) : nil
    }
}
