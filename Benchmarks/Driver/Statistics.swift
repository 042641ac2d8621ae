/// What is made of samples. All of it is exact and knows neither clocks nor processes.
enum Statistics {
    /// The middle of the sorted samples, or the mean of the middle two. There must be one.
    static func median(_ samples: [Double]) -> Double {
        precondition(!samples.isEmpty, "no sample has no median")
        let sorted = samples.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// What was measured side by side, divided pair by pair: a slow second of the machine slows both of a pair, and
    /// leaves their ratio alone. (The ratio of two medians may come from two different seconds.)
    static func ratios(_ values: [Double], to floors: [Double]) -> [Double] {
        precondition(values.count == floors.count, "each value has its floor")
        return zip(values, floors).map { $0 / $1 }
    }
}
