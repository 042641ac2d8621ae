import Arbiter

extension Rate {
    /// For people: `1.5 requests/s`.
    var text: String { "\(decimal(thousandths: UInt64(clamping: millihertz))) requests/s" }
}

extension Nanoseconds {
    /// For people: `2.5 s`, `500 ms` or `20 us`, rounded down to three decimals.
    package var text: String {
        let count = UInt64(clamping: count)
        if count >= 1_000_000_000 { return "\(decimal(thousandths: count / 1_000_000)) s" }
        if count >= 1_000_000 { return "\(decimal(thousandths: count / 1_000)) ms" }
        return "\(decimal(thousandths: count)) us"
    }
}

/// Thousandths as a decimal number without trailing zeros.
private func decimal(thousandths value: UInt64) -> String {
    var fraction = String(1_000 + value % 1_000).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return fraction.isEmpty ? "\(value / 1_000)" : "\(value / 1_000).\(fraction)"
}
