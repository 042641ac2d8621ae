/// The lines that begin a section, looked at before the parser: where the name should begin and something else stands,
/// as in `[.vmm]`, its library ends the process with an assertion.
///
/// A line that only looks so, within a list or a text of several lines, is a mistake all the same: no key takes either.
enum SectionLines {
    static func firstWithoutName(in text: String, file: String) -> ConfigurationProblem? {
        var number = 0
        for line in text.utf8.split(omittingEmptySubsequences: false, whereSeparator: isLineEnd) {
            number += 1
            guard let offset = badName(in: line) else { continue }
            return ConfigurationProblem(
                file: file, line: number, column: offset + 1,
                message: "a section's name must begin here: write [section] with letters, digits, '_' and '-'")
        }
        return nil
    }

    /// How far into the line the name should begin and does not; `nil` if it does, or if this is no such line, or one
    /// that the parser refuses by itself.
    private static func badName(in line: Substring.UTF8View) -> Int? {
        let body = line.starts(with: byteOrderMark) ? line.dropFirst(byteOrderMark.count) : line
        var rest = body.drop(while: isBlank)
        guard rest.first == UInt8(ascii: "[") else { return nil }
        rest = rest.dropFirst()
        let isList = rest.first == UInt8(ascii: "[")
        rest = (isList ? rest.dropFirst() : rest).drop(while: isBlank)
        if let first = rest.first {
            if beginsName(first) || first == UInt8(ascii: "]") || (first == UInt8(ascii: "[") && !isList) { return nil }
        }
        return line.count - rest.count
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func beginsName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""),
            UInt8(ascii: "'"):
            true
        default: false
        }
    }
}
