/// How deep a file's values lie in each other, looked at before the parser: its library calls itself for each level,
/// and some ten thousand parts in one key end the process.
enum Nesting {
    /// The first place that lies deeper than `ConfigurationLimits.nesting`.
    static func firstTooDeep(in text: String, file: String) -> ConfigurationProblem? {
        var scanner = TOMLScanner(text)
        // Brackets that are open, and points since the key began.
        var (open, points) = (0, 0)
        while let byte = scanner.current {
            switch byte {
            case UInt8(ascii: "#"): scanner.skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): scanner.skipText()
            case UInt8(ascii: "."):
                points += 1
                guard points < ConfigurationLimits.nesting else {
                    return problem(scanner, file, "a key has more than \(ConfigurationLimits.nesting) parts")
                }
                scanner.advance()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                (open, points) = (open + 1, 0)
                guard open <= ConfigurationLimits.nesting else {
                    return problem(scanner, file, "more than \(ConfigurationLimits.nesting) brackets are open")
                }
                scanner.advance()
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                (open, points) = (max(open - 1, 0), 0)
                scanner.advance()
            case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "\n"):
                points = 0
                scanner.advance()
            default: scanner.advance()
            }
        }
        return nil
    }

    private static func problem(_ scanner: TOMLScanner, _ file: String, _ what: String) -> ConfigurationProblem {
        ConfigurationProblem(
            file: file, line: scanner.line, column: scanner.column,
            message: "\(what) here: no setting lies so deep; write [section], and its keys below")
    }
}
