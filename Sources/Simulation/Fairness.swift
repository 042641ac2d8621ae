import Arbiter

/// How evenly guests were served by weight in one window, and how far two of them strayed from each other (P5).
public struct Fairness: Sendable {
    /// Jain's index in thousandths: (Σx)² ÷ (n·Σx²), over service ÷ weight. A thousand is perfect.
    public let jainPerMille: Int64
    /// The fewest turns that a VM had.
    public let fewestTurns: Int
    /// The largest difference of service ÷ weight, and P5's bound of it.
    public let spread: Nanoseconds
    public let bound: Nanoseconds

    /// - Parameter window: only what ended in it counts; what was served for its age is not part of the promise.
    public init(_ services: [GuestService], of tenants: [TenantPlan], in window: ClosedRange<Instant>) {
        var sums = Array(repeating: Int64(0), count: tenants.count)
        var turns = Array(repeating: 0, count: tenants.count)
        var largest = Nanoseconds.zero
        for served in services where window.contains(served.endedAt) && !served.isAged {
            sums[served.tenant] += served.service.count
            turns[served.tenant] += 1
            largest = max(largest, served.service)
        }
        let weights = tenants.map(\.registration.weight.value)
        let shares = zip(sums, weights).map { $0 / $1 }
        fewestTurns = turns.min() ?? 0
        spread = Nanoseconds((shares.max() ?? 0) - (shares.min() ?? 0))
        let lead = Limits.backlogMemory.count / max(weights.reduce(0, +), 1)
        bound = Nanoseconds(4 * lead + 2 * largest.count / max(weights.min() ?? 1, 1))
        // In microseconds, so that the squares stay inside 64 bits.
        let coarse = shares.map { $0 / 1_000 }
        let sum = coarse.reduce(0, +)
        let squares = coarse.reduce(0) { $0 + $1 * $1 }
        jainPerMille =
            squares == 0
            ? 0
            : sum * sum / (squares * Int64(coarse.count)) * 1_000
                + sum * sum % (squares * Int64(coarse.count)) * 1_000 / (squares * Int64(coarse.count))
    }
}
