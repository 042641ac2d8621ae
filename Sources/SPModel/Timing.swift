import Arbiter

/// How long a command occupies the SP, and how that is known.
public struct Timing: Sendable, Equatable {
    public let median: Nanoseconds
    public let spread: Spread
    public let basis: Basis
    /// Where the figure comes from, or what was assumed.
    public let source: String

    init(_ median: Nanoseconds, _ spread: Spread, _ basis: Basis, _ source: String) {
        self.median = median
        self.spread = spread
        self.basis = basis
        self.source = source
    }
}

/// How a figure is known.
public enum Basis: String, Sendable, CaseIterable {
    /// Read in a public measurement of this very quantity.
    case measured
    /// Computed from a public measurement with an assumption, or chosen so that the model reproduces one.
    case fitted
    /// No public measurement was found.
    case assumed
}

/// The standard deviation of the logarithm of a service time, in hundredths.
public enum Spread: Int, Sendable, CaseIterable {
    case hundredths1 = 1
    case hundredths5 = 5
    case hundredths6 = 6
    case hundredths10 = 10
    case hundredths20 = 20
}
