import FoundationEssentials

enum Format {
    /// A number with so many decimals, rounded half away from zero, as `%.*f`.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let digits = String(repeating: "0", count: max(0, decimals + 1 - "\(scaled)".count)) + "\(scaled)"
        return "\(sign)\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
    }

    /// Requests in a thousand seconds, as a rate a second.
    static func rate(millihertz: Int64) -> String {
        fixed(Double(millihertz) / 1_000, millihertz % 1_000 == 0 ? 0 : 2) + "/s"
    }

    /// A duration in the unit that leaves two or three digits before the point.
    static func duration(nanoseconds: Int64) -> String {
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

    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("values of texts and finite numbers can always be written as JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
