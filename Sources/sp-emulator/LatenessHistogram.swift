import Arbiter

/// How late results were sent: one counter for each microsecond up to 10 ms, and the worst.
struct LatenessHistogram {
    private(set) var max = Nanoseconds.zero
    private(set) var count = 0
    private var counters = [UInt64](repeating: 0, count: 10_001)

    mutating func record(_ lateness: Nanoseconds) {
        let microseconds = Int(clamping: Swift.max(lateness.count, 0) / 1_000)
        counters[min(microseconds, counters.count - 1)] += 1
        count += 1
        max = Swift.max(max, lateness)
    }

    /// The lateness that so many thousandths of the results did not exceed, to the microsecond below; zero without
    /// results.
    func quantile(perMille: Int) -> Nanoseconds {
        let wanted = UInt64((count * perMille + 999) / 1_000)
        var seen: UInt64 = 0
        for (microseconds, counter) in counters.enumerated() where counter > 0 {
            seen += counter
            if seen >= wanted { return microseconds == counters.count - 1 ? max : .microseconds(Int64(microseconds)) }
        }
        return .zero
    }
}
