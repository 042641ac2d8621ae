import Arbiter

/// A boot latency, or the least it can have been where the launch was cut.
struct BootLatency: Equatable, Comparable, Sendable {
    var milliseconds: Double
    var isCut = false

    static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}

/// The middle, the tail and the worst of some boot latencies.
struct BootStatistics: Equatable, Sendable {
    let p50: BootLatency
    let p99: BootLatency
    let max: BootLatency

    /// `nil` without any launch.
    init?(_ latencies: [BootLatency]) {
        guard let p50 = Self.percentile(50, of: latencies), let p99 = Self.percentile(99, of: latencies),
            let max = Self.percentile(100, of: latencies)
        else { return nil }
        self.p50 = p50
        self.p99 = p99
        self.max = max
    }

    /// Nearest rank: the smallest value that at least `percent` % of all do not exceed.
    ///
    /// It is a least value as soon as it could lie at or beyond a launch that was cut: that one's true latency may have
    /// any rank from there on.
    static func percentile(_ percent: Int, of latencies: [BootLatency]) -> BootLatency? {
        guard !latencies.isEmpty else { return nil }
        let sorted = latencies.sorted()
        let rank = Swift.max(1, (sorted.count * percent + 99) / 100)
        let value = sorted[rank - 1]
        return BootLatency(milliseconds: value.milliseconds, isCut: sorted[..<rank].contains(where: \.isCut))
    }
}

enum Fairness {
    /// Jain's index, (Σx)² ÷ (n·Σx²): 1 if all got the same, 1/n if one got everything. `nil` without anybody, or if
    /// nobody got anything.
    static func jain(_ shares: [Int]) -> Double? {
        let sum = shares.reduce(0, +)
        let squares = shares.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares > 0 else { return nil }
        return Double(sum) * Double(sum) / (Double(shares.count) * squares)
    }
}

/// A stretch of time, the end not included.
struct Span: Equatable, Sendable {
    var start: Instant
    var end: Instant

    var length: Nanoseconds { max(.zero, end - start) }

    func contains(_ instant: Instant) -> Bool { start <= instant && instant < end }

    func clipped(to other: Span) -> Span { Span(start: max(start, other.start), end: min(end, other.end)) }

    /// What of this span none of the others covers.
    func without(_ others: [Span]) -> [Span] {
        var free: [Span] = []
        var next = start
        for other in others.map({ $0.clipped(to: self) }).sorted(by: { $0.start < $1.start }) where other.length > .zero
        {
            if other.start > next { free.append(Span(start: next, end: other.start)) }
            next = max(next, other.end)
        }
        if next < end { free.append(Span(start: next, end: end)) }
        return free
    }
}
