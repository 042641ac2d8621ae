import Arbiter

/// Numbers as text: the same on every machine, and without the C library.
public enum Format {
    /// A number with so many decimals, rounded half away from zero, as `%.*f`.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = nearest(abs(value) * scale)
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let digits = String(repeating: "0", count: max(0, decimals + 1 - "\(scaled)".count)) + "\(scaled)"
        return "\(sign)\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
    }

    /// The nearest whole number, a half rounded up. `Double.rounded` would call the C library.
    static func nearest(_ value: Double) -> Int64 {
        let whole = Int64(value)
        return value - Double(whole) >= 0.5 ? whole + 1 : whole
    }

    /// A whole number with a comma between its thousands.
    public static func grouped(_ value: Int) -> String {
        let digits = Array("\(value.magnitude)")
        let text = digits.indices.reduce(into: "") { text, index in
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digits[index])
        }
        return (value < 0 ? "-" : "") + text
    }

    /// Requests in a thousand seconds, as a rate a second.
    public static func rate(millihertz: Int64) -> String {
        fixed(Double(millihertz) / 1_000, millihertz % 1_000 == 0 ? 0 : 2) + "/s"
    }

    /// A duration in the unit that leaves two or three digits before the point.
    public static func duration(nanoseconds: Int64) -> String {
        let value = Double(nanoseconds)
        return switch abs(nanoseconds) {
        case ..<1_000_000: fixed(value / 1e3, 0) + " µs"
        case ..<1_000_000_000: fixed(value / 1e6, 1) + " ms"
        case ..<120_000_000_000: fixed(value / 1e9, 1) + " s"
        case ..<7_200_000_000_000: fixed(value / 60e9, 0) + " min"
        case ..<172_800_000_000_000: fixed(value / 3600e9, 1) + " h"
        default: fixed(value / 86400e9, 1) + " days"
        }
    }

    public static func duration(_ time: Nanoseconds) -> String { duration(nanoseconds: time.count) }

    /// A text that others chose, as it can be put on a terminal and into a table: control characters, and marks that
    /// are not seen or turn the direction of what follows, as their numbers.
    public static func printable(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
