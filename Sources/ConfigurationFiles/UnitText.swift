import Arbiter

/// Durations as people write them: one whole number and one unit, nothing between: `500ms`, `5s`.
public enum DurationText {
    private static let units: [(name: String, length: Nanoseconds)] = [
        ("ns", Nanoseconds(1)), ("us", .microseconds(1)), ("ms", .milliseconds(1)), ("s", .seconds(1)),
        ("min", .seconds(60)), ("h", .seconds(3_600)),
    ]

    package static func parse(_ text: String) -> Nanoseconds? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), let unit = units.first(where: { $0.name == text.dropFirst(digits.count) })
        else { return nil }
        let (product, overflows) = count.multipliedReportingOverflow(by: unit.length.count)
        return overflows ? nil : Nanoseconds(product)
    }

    /// In the largest unit up to seconds that divides it.
    public static func write(_ duration: Nanoseconds) -> String {
        let unit = units.last { $0.length <= .seconds(1) && duration.count % $0.length.count == 0 }!
        return "\(duration.count / unit.length.count)\(unit.name)"
    }
}

/// Rates as requests per second, with at most three decimals: `100/s`, `0.025/s`.
public enum RateText {
    static func parse(_ text: String) -> Rate? {
        guard text.hasSuffix("/s") else { return nil }
        return DecimalText.thousandths(text.dropLast(2)).map { Rate(millihertz: $0) }
    }

    public static func write(_ rate: Rate) -> String { "\(DecimalText.write(thousandths: rate.millihertz))/s" }
}

/// Shares in percent, with at most one decimal: `10%`, `12.5%`.
enum ShareText {
    static func parse(_ text: String) -> Share? {
        guard text.hasSuffix("%"), let value = DecimalText.thousandths(text.dropLast()), value % 100 == 0 else {
            return nil
        }
        return Share(perMille: value / 100)
    }

    static func write(_ share: Share) -> String { "\(DecimalText.write(thousandths: share.perMille * 100))%" }
}

enum TOMLText {
    /// A basic string of TOML.
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Decimal numbers with at most three decimals, without floating point.
enum DecimalText {
    static func thousandths(_ text: some StringProtocol) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let whole = Int64(parts[0]), whole <= Int64.max / 1_000 - 1
        else { return nil }
        guard parts.count == 2 else { return whole * 1_000 }
        guard parts[1].count <= 3, let fraction = Int64(parts[1]) else { return nil }
        return whole * 1_000 + fraction * [0, 100, 10, 1][parts[1].count]
    }

    static func write(thousandths value: Int64) -> String {
        var fraction = String(1_000 + value % 1_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(value / 1_000)" : "\(value / 1_000).\(fraction)"
    }
}
