import Arbiter

extension Timing {
    /// The longest that is ever drawn, faults aside: the last of the distribution's quantiles.
    public var longest: Nanoseconds {
        Nanoseconds((median.count * Int64(spread.quantiles.last ?? 0)) >> QuantileTable.shift)
    }
}

extension Profile {
    /// The longest that these commands can take in a row, faults and others' commands aside.
    public func longest(_ sequence: CommandSequence) -> Nanoseconds {
        (0..<sequence.count).reduce(gaps.betweenPages * Int64(sequence.count - 1)) { sum, index in
            let step = sequence.step(at: index)
            return sum + timing(of: step.command).longest * step.pages
        }
    }
}

extension Gaps {
    /// The longest between two launch ioctls of one VMM.
    public var longestBetweenIoctls: Nanoseconds { max(betweenIoctls, betweenIoctlsTail) }
}
