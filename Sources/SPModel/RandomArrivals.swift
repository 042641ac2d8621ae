import Arbiter

/// Times between independent events that come so often on average, as a Poisson process has them.
public struct RandomArrivals: Sendable {
    private let mean: Nanoseconds
    private var random: SplitMix64

    public init(every mean: Nanoseconds, seed: UInt64) {
        self.mean = mean
        random = SplitMix64(seed: seed)
    }

    public mutating func next() -> Nanoseconds {
        let quantile = Int64(QuantileTable.exponential[Int(random.next() >> (64 - QuantileTable.indexBits))])
        // In two parts: the product of hours and a quantile would not fit.
        let (whole, rest) = mean.count.quotientAndRemainder(dividingBy: 1 << QuantileTable.shift)
        return Nanoseconds(whole * quantile + (rest * quantile) >> QuantileTable.shift)
    }
}
