/// Sums up the 64-bit words of a record so that a torn or damaged one is noticed.
///
/// Each word is multiplied by an odd number of its own: no change of one word goes unnoticed, nor do words that change
/// places, and all products can be reckoned at once. What is kept over a restart and what is traced end in it, so it
/// cannot change without a new version of both formats.
@frozen
public struct Checksum {
    /// The sum as far as it goes.
    @usableFromInline var sum: UInt64
    /// What the next word is multiplied by.
    @usableFromInline var factor: UInt64

    @inlinable
    public init() {
        sum = 0x7370_7363_6865_6464
        factor = 0x9E37_79B9_7F4A_7C15
    }

    @inlinable
    @inline(__always)
    public mutating func add(_ word: UInt64) {
        sum &+= (word ^ (factor &>> 32)) &* factor
        factor &+= 0x9E37_79B9_7F4A_7C14
    }

    /// The sum with its high bits, in which all words meet, folded into the low ones.
    @inlinable
    public var value: UInt64 { sum ^ (sum &>> 29) }
}
