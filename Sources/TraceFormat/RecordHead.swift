import RecordWords

/// What a record is. Raw values are the file's.
enum RecordKind: UInt8 {
    /// The Arbiter's whole state: the first record of each segment.
    case state = 1
    /// What a VM is called.
    case name = 2
    case call = 3
}

/// The first word of each record; its number and its checksum are the next two.
///
/// ```
/// bits  0..7   kind            bits 24..31  decisions that are shown
/// bits  8..15  kind of call    bit  32      whether there are further ones
/// bits 16..23  its outcome     bits 40..63  how long the record is, in words, with these three
/// ```
struct RecordHead: Equatable {
    static let words = 3
    /// 24 bits: 128 MiB, which is longer than any segment.
    static let lengthMax = 1 << 24 - 1

    var kind: RecordKind
    var call: UInt8 = 0
    var outcome: UInt8 = 0
    var decisions: UInt8 = 0
    var hasFurther = false
    var length: Int

    @inline(__always)
    var word: UInt64 {
        UInt64(kind.rawValue) | UInt64(call) << 8 | UInt64(outcome) << 16 | UInt64(decisions) << 24
            | (hasFurther ? 1 << 32 : 0) | UInt64(length) << 40
    }

    init(kind: RecordKind, length: Int) {
        self.kind = kind
        self.length = length
    }

    /// `nil`: no record begins with this word.
    init?(word: UInt64) {
        guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: word)) else { return nil }
        self.kind = kind
        call = UInt8(truncatingIfNeeded: word >> 8)
        outcome = UInt8(truncatingIfNeeded: word >> 16)
        decisions = UInt8(truncatingIfNeeded: word >> 24)
        hasFurther = word >> 32 & 1 == 1
        length = Int(word >> 40)
        guard word >> 33 & 0x7F == 0, length >= Self.words else { return nil }
    }
}

extension MutableSpan<UInt64> {
    /// Writes head, number and checksum of the record that begins at `start`, whose words stand there.
    @inline(__always)
    mutating func seal(_ head: RecordHead, number: UInt64, at start: Int) {
        var checksum = Checksum()
        checksum.add(head.word)
        checksum.add(number)
        for index in start + RecordHead.words..<start + head.length { checksum.add(UInt64(littleEndian: self[index])) }
        self[start + 1] = number.littleEndian
        self[start + 2] = checksum.value.littleEndian
        self[start] = head.word.littleEndian
    }
}

extension [UInt64] {
    /// Of the record in this range, reckoned anew.
    func checksum(_ range: Range<Int>) -> UInt64 {
        var checksum = Checksum()
        checksum.add(self[range.lowerBound])
        checksum.add(self[range.lowerBound + 1])
        for index in range.lowerBound + RecordHead.words..<range.upperBound { checksum.add(self[index]) }
        return checksum.value
    }
}
