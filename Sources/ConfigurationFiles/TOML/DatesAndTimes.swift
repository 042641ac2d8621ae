/// Dates and times, looked for before the parser: no setting takes one, and where the time of day after a date is not
/// one, as in `1979-05-27T-`, its library ends the process with an assertion.
enum DatesAndTimes {
    /// What stands first outside of texts and comments and begins as a date (`1979-`) or a time (`07:`) does.
    static func first(in text: String, file: String) -> ConfigurationProblem? {
        var scanner = TOMLScanner(text)
        while let byte = scanner.current {
            switch byte {
            case UInt8(ascii: "#"): scanner.skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): scanner.skipText()
            case _ where TOMLScanner.isDigit(byte):
                let (line, column) = (scanner.line, scanner.column)
                if passesDateOrTime(&scanner) { return problem(file, line, column) }
            // Digits in a name are no number.
            case _ where TOMLScanner.isLetter(byte):
                scanner.skip { TOMLScanner.isLetter($0) || TOMLScanner.isDigit($0) }
            default: scanner.advance()
            }
        }
        return nil
    }

    /// Passes digits: whether they begin a date or a time.
    private static func passesDateOrTime(_ scanner: inout TOMLScanner) -> Bool {
        let start = scanner.index
        scanner.skip(while: TOMLScanner.isDigit)
        let count = scanner.index - start
        let isDate = scanner.current == UInt8(ascii: "-") && count >= 4
        let isTime = scanner.current == UInt8(ascii: ":") && count >= 2
        return isDate || isTime
    }

    private static func problem(_ file: String, _ line: Int, _ column: Int) -> ConfigurationProblem {
        ConfigurationProblem(
            file: file, line: line, column: column,
            message: "a date or time begins here, and no setting takes one: write a duration as a text, such as \"5s\"")
    }
}
