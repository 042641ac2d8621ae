/// Goes through a file's bytes and knows of TOML only where lines, texts and comments begin and end.
struct TOMLScanner {
    let bytes: [UInt8]
    private(set) var index = 0
    private(set) var line = 1
    private var lineStart = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The byte that stands here; `nil` at the end.
    var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// Counted in bytes, from 1.
    var column: Int { index - lineStart + 1 }

    mutating func advance() {
        guard let byte = current else { return }
        index += 1
        if byte == UInt8(ascii: "\n") {
            line += 1
            lineStart = index
        }
    }

    mutating func skip(while holds: (UInt8) -> Bool) {
        while let byte = current, holds(byte) { advance() }
    }

    /// To the end of the line.
    mutating func skipComment() { skip { $0 != UInt8(ascii: "\n") } }

    /// Passes a text that begins here with its quote: what stands between its quotes, and whether it may have several
    /// lines. One of one line ends with the line, also where its quote is missing: the parser refuses that.
    @discardableResult
    mutating func skipText() -> (content: Range<Int>, isLong: Bool) {
        guard let quote = current else { return (index..<index, false) }
        let isLong = repeats(of: quote) >= 3
        let hasEscapes = quote == UInt8(ascii: "\"")
        index += isLong ? 3 : 1
        let start = index
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\n"):
                guard isLong else { return (start..<index, isLong) }
                advance()
            case UInt8(ascii: "\\")
            where hasEscapes && index + 1 < bytes.count && bytes[index + 1] != UInt8(ascii: "\n"):
                index += 2
            case quote:
                let end = index
                guard isLong else {
                    index += 1
                    return (start..<end, isLong)
                }
                // The last three of at most five end it.
                let count = min(repeats(of: quote), 5)
                index += count
                if count >= 3 { return (start..<index - 3, isLong) }
            default: index += 1
            }
        }
        return (start..<index, isLong)
    }

    /// How often the byte stands here in a row.
    private func repeats(of byte: UInt8) -> Int {
        var end = index
        while end < bytes.count, bytes[end] == byte { end += 1 }
        return end - index
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// Of those that a number cannot begin with.
    static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    /// Of a key that stands without quotes.
    static func isBareKey(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") }
}
