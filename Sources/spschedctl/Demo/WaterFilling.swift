/// Exact max-min sharing by weight, with floors and ceilings: what each VM should get of a total.
enum WaterFilling {
    struct Claim: Equatable, Sendable {
        var weight: Double
        /// Its reservation: what it gets before anything is shared.
        var floor: Double
        /// The most it takes: its limit, or its demand. Infinite for a tight loop without limit.
        var ceiling: Double
    }

    /// Shares of `total`, in the order of the claims. If the total does not cover the floors, they are cut in
    /// proportion.
    static func shares(of total: Double, _ claims: [Claim]) -> [Double] {
        let floors = claims.map { min($0.floor, $0.ceiling) }
        let promised = floors.reduce(0, +)
        guard promised < total else { return floors.map { promised > 0 ? $0 * total / promised : 0 } }
        var shares = floors
        var left = total - promised
        // Served in order of the level at which each is full, so that everyone after gets an equal part of what is
        // left.
        let order = claims.indices.sorted { full(claims[$0], floors[$0]) < full(claims[$1], floors[$1]) }
        var weights = claims.reduce(0) { $0 + $1.weight }
        for index in order {
            let part = min(claims[index].ceiling - floors[index], left * claims[index].weight / weights)
            shares[index] += part
            left -= part
            weights -= claims[index].weight
        }
        return shares
    }

    private static func full(_ claim: Claim, _ floor: Double) -> Double { (claim.ceiling - floor) / claim.weight }
}
