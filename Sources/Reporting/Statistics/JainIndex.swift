public enum JainIndex {
    /// Jain's index of fairness, (Σx)² ÷ (n·Σx²): 1 if all got the same, 1/n if one got everything. `nil` without
    /// anybody, or if nobody got anything.
    ///
    /// - Parameter shares: what each got; where not all were entitled to the same, divided by what each was entitled
    ///   to.
    public static func of(_ shares: [Double]) -> Double? {
        let sum = shares.reduce(0, +)
        let squares = shares.reduce(0) { $0 + $1 * $1 }
        guard squares > 0 else { return nil }
        return sum * sum / (Double(shares.count) * squares)
    }

    public static func of(_ shares: [Int]) -> Double? { of(shares.map(Double.init)) }
}
