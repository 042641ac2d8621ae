/// Sums up words so that a damaged record is noticed: each word is multiplied by an odd number of its own, so that
/// words that change places are noticed too.
struct Checksum {
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C14

    private var sum: UInt64 = 0x7370_7363_6865_6464
    private var factor: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    mutating func add(_ word: UInt64) {
        sum &+= (word ^ (factor &>> 32)) &* factor
        factor &+= Self.step
    }

    /// The sum with its high bits, in which all words meet, folded into the low ones.
    var value: UInt64 { sum ^ (sum &>> 29) }
}

/// Text and numbers of a record's words, and back.
public enum RecordText {
    /// Eight bytes in a word, the first in the lowest; zeros up to `count` words.
    public static func put(_ bytes: some Sequence<UInt8>, words count: Int, into words: inout [UInt64]) {
        var word: UInt64 = 0
        var written = 0
        for byte in bytes.prefix(count * 8) {
            word |= UInt64(byte) << UInt64(8 * (written % 8))
            written += 1
            if written % 8 == 0 {
                words.append(word)
                word = 0
            }
        }
        if written % 8 != 0 {
            words.append(word)
            written += 8 - written % 8
        }
        for _ in written / 8..<count { words.append(0) }
    }

    /// The bytes of these words.
    public static func bytes(_ words: some Sequence<UInt64>) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }
}
