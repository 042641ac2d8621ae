import Arbiter

/// Latencies in order, and what is read off them.
public struct Latencies: Sendable {
    public let sorted: [Latency]
    /// Where in the order the first cut one stands; `nil` if none was cut.
    private let firstCut: Int?

    public init(_ latencies: [Latency]) {
        sorted = latencies.sorted()
        firstCut = sorted.firstIndex(where: \.isCut)
    }

    public var count: Int { sorted.count }
    public var cutCount: Int { sorted.count(where: \.isCut) }

    /// Nearest rank: the smallest value that at least so many thousandths of all do not exceed. `nil` without any.
    ///
    /// It is a least value as soon as it could lie at or beyond one that was cut: that one's true latency may have any
    /// rank from there on.
    public func quantile(perMille: Int) -> Latency? {
        guard !sorted.isEmpty else { return nil }
        let rank = max(1, (sorted.count * perMille + 999) / 1_000)
        return Latency(sorted[rank - 1].time, isCut: firstCut.map { $0 < rank } ?? false)
    }

    /// The mean, rounded down; a least value if any was cut. `nil` without any.
    public var mean: Latency? {
        guard !sorted.isEmpty else { return nil }
        let sum = sorted.reduce(Nanoseconds.zero) { $0 + $1.time }
        return Latency(sum / Int64(sorted.count), isCut: firstCut != nil)
    }

    /// The cumulative distribution as at most `steps` points, thousandths rising to 1000, and none at or beyond a cut
    /// one: the curve ends there.
    public func distribution(steps: Int) -> [(time: Nanoseconds, perMille: Double)] {
        let end = firstCut ?? sorted.count
        guard end > 0, steps > 0 else { return [] }
        let taken = min(end, steps)
        return (1...taken).map { step in
            let rank = (step * end + taken - 1) / taken
            return (sorted[rank - 1].time, Double(rank) * 1_000 / Double(sorted.count))
        }
    }
}

/// The middle, both tails and the worst.
public struct LatencyStatistics: Hashable, Sendable {
    public let count: Int
    public let p5: Latency
    public let p50: Latency
    public let p95: Latency
    public let p99: Latency
    public let max: Latency

    /// `nil` without any latency.
    public init?(_ latencies: Latencies) {
        guard let p5 = latencies.quantile(perMille: 50), let p50 = latencies.quantile(perMille: 500),
            let p95 = latencies.quantile(perMille: 950), let p99 = latencies.quantile(perMille: 990),
            let max = latencies.quantile(perMille: 1_000)
        else { return nil }
        (self.p5, self.p50, self.p95, self.p99, self.max) = (p5, p50, p95, p99, max)
        count = latencies.count
    }

    public init?(_ latencies: [Latency]) { self.init(Latencies(latencies)) }
}
