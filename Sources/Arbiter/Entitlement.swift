/// One VM in the division of a pool.
public struct Claim: Sendable, Equatable {
    /// SP time per second that is promised, and the most that may be used (`nil`: no limit).
    public var reserved: Nanoseconds
    public var most: Nanoseconds?
    public var weight: Weight

    public init(reserved: Nanoseconds, most: Nanoseconds?, weight: Weight) {
        self.reserved = reserved
        self.most = most
        self.weight = weight
    }
}

/// Exact max-min water-filling: each claim gets `level × weight`, but at least its reservation and at most its limit,
/// with the level at which the pool is used up. O(n log n), integers, sums to no more than the pool.
///
/// With claims {10, 20.5, 22.6, ∞, ∞} of equal weight, a pool of 100 gives {10, 20.5, 22.6, 23.45, 23.45}.
public func entitlements(of claims: [Claim], pool: Nanoseconds) -> [Nanoseconds] {
    // Levels are in 1/1024 ns per unit of weight. Between two breakpoints the demand is linear in the level.
    let scale: Int64 = 1_024
    var breakpoints: [(level: Int64, slope: Int64)] = []
    breakpoints.reserveCapacity(2 * claims.count)
    var demand: Int64 = 0
    for claim in claims {
        let weight = claim.weight.value
        let most = claim.most.map { max($0, claim.reserved) }
        demand += claim.reserved.count
        breakpoints.append((claim.reserved.count * scale / weight, weight))
        if let most { breakpoints.append((most.count * scale / weight, -weight)) }
    }
    breakpoints.sort { $0.level < $1.level }
    let level = waterLevel(breakpoints, demand: demand, pool: pool.count, scale: scale)
    return claims.map { claim in
        let share = level.multipliedReportingOverflow(by: claim.weight.value)
        let filled = Nanoseconds(share.overflow ? Int64.max : share.partialValue / scale)
        return max(claim.reserved, min(filled, claim.most ?? pool))
    }
}

private func waterLevel(_ breakpoints: [(level: Int64, slope: Int64)], demand: Int64, pool: Int64, scale: Int64)
    -> Int64
{
    var level: Int64 = 0
    var slope: Int64 = 0
    // Scaled by 1024, a pool of one second stays far below 2^63.
    var left = (pool - demand) * scale
    for breakpoint in breakpoints {
        let (needed, overflow) = slope.multipliedReportingOverflow(by: breakpoint.level - level)
        if overflow || needed > left { break }
        left -= needed
        level = breakpoint.level
        slope += breakpoint.slope
    }
    guard left > 0 else { return level }
    // Nobody wants more: a level at which every limit binds.
    guard slope > 0 else { return Int64.max / 2_048 }
    return level + left / slope
}
