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
