/// Dates and times, looked for before the parser: no setting takes one, and where the time of day after a date is not
/// one, as in `1979-05-27T-`, its library ends the process with an assertion.
enum DatesAndTimes {
    /// What stands first outside of texts and comments and begins as a date (`1979-`) or a time (`07:`) does.
    static func first(in text: String, file: String) -> ConfigurationProblem? {
        var lexer = Lexer(bytes: Array(text.utf8))
        guard let place = lexer.next() else { return nil }
        return ConfigurationProblem(
            file: file, line: place.line, column: place.column,
            message: "a date or time begins here, and no setting takes one: write a duration as a text, such as \"5s\"")
    }
}

/// Knows of TOML only where texts and comments begin and end.
private struct Lexer {
    let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> (line: Int, column: Int)? {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                index += 1
                line += 1
                lineStart = index
            case UInt8(ascii: "#"): skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): skipText(quote: bytes[index])
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if let column = skipNumber() { return (line, column) }
            // Digits in a name are no number.
            case let byte where Self.isLetter(byte): skipWord()
            default: index += 1
            }
        }
        return nil
    }

    private mutating func skipComment() {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
    }

    private mutating func skipWord() {
        while index < bytes.count, Self.isLetter(bytes[index]) || Self.isDigit(bytes[index]) { index += 1 }
    }

    /// The column of its first digit if it begins a date or a time.
    private mutating func skipNumber() -> Int? {
        let start = index
        while index < bytes.count, Self.isDigit(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        let isDate = bytes[index] == UInt8(ascii: "-") && index - start >= 4
        let isTime = bytes[index] == UInt8(ascii: ":") && index - start >= 2
        return isDate || isTime ? start - lineStart + 1 : nil
    }

    /// A text of one line ends with the line, also where its quote is missing: the parser refuses that.
    private mutating func skipText(quote: UInt8) {
        let isLong = repeats(of: quote) >= 3
        let hasEscapes = quote == UInt8(ascii: "\"")
        index += isLong ? 3 : 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                guard isLong else { return }
                index += 1
                line += 1
                lineStart = index
            case UInt8(ascii: "\\")
            where hasEscapes && index + 1 < bytes.count && bytes[index + 1] != UInt8(ascii: "\n"):
                index += 2
            case quote:
                guard isLong else {
                    index += 1
                    return
                }
                // The last three of at most five end it.
                let count = min(repeats(of: quote), 5)
                index += count
                if count >= 3 { return }
            default: index += 1
            }
        }
    }

    /// How often the byte stands here in a row.
    private func repeats(of byte: UInt8) -> Int {
        var end = index
        while end < bytes.count, bytes[end] == byte { end += 1 }
        return end - index
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
    }
}
