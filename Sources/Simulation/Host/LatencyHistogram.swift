import Arbiter

/// Durations counted in steps of at most 1/128 of themselves: bounded memory for any number of them, integers only.
public struct LatencyHistogram: Sendable, Equatable {
    /// Each power of two is divided into so many steps.
    private static let stepBits = 7
    private static let steps = 1 << stepBits
    /// 1 µs: what is shorter counts as that.
    private static let unit: Int64 = 1_000

    private var counts: [UInt64] = []
    public private(set) var count: UInt64 = 0
    public private(set) var longest = Nanoseconds.zero
    public private(set) var sum = Nanoseconds.zero

    public init() {}

    public var mean: Nanoseconds? { count == 0 ? nil : Nanoseconds(sum.count / Int64(count)) }

    mutating func add(_ duration: Nanoseconds) {
        let bucket = Self.bucket(of: duration)
        if bucket >= counts.count {
            counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count))
        }
        counts[bucket] += 1
        count += 1
        sum += duration
        longest = max(longest, duration)
    }

    /// Nearest rank: the least step that at least `perMille` thousandths of all do not exceed, as its upper end; never
    /// more than the longest. `nil` without any.
    public func percentile(perMille: Int64) -> Nanoseconds? {
        guard count > 0 else { return nil }
        let rank = max(1, (count * UInt64(perMille) + 999) / 1_000)
        var below: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            below += count
            if below >= rank { return min(Self.upperEnd(of: bucket), longest) }
        }
        return longest
    }

    /// Upper ends of the steps that hold any, with how many: for a distribution's curve.
    public var steps: [(upTo: Nanoseconds, count: UInt64)] {
        counts.indices.filter { counts[$0] > 0 }.map { (Self.upperEnd(of: $0), counts[$0]) }
    }

    public mutating func merge(_ other: LatencyHistogram) {
        if other.counts.count > counts.count {
            counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
        }
        for (bucket, count) in other.counts.enumerated() { counts[bucket] += count }
        count += other.count
        sum += other.sum
        longest = max(longest, other.longest)
    }

    /// Below 128 units one bucket a unit; then 128 for each power of two.
    private static func bucket(of duration: Nanoseconds) -> Int {
        let units = Int(max(duration.count, 0) / unit)
        guard units >= steps else { return units }
        let magnitude = (Int.bitWidth - 1) - units.leadingZeroBitCount - stepBits
        return (magnitude << stepBits) + (units >> magnitude)
    }

    private static func upperEnd(of bucket: Int) -> Nanoseconds {
        guard bucket >= 2 * steps else { return Nanoseconds(Int64(bucket + 1) * unit - 1) }
        let magnitude = (bucket >> stepBits) - 1
        let units = (bucket - (magnitude << stepBits) + 1) << magnitude
        return Nanoseconds(Int64(units) * unit - 1)
    }
}
