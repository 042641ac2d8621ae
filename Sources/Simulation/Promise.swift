/// The promises of `docs/architecture.md`, section 6.
public enum Promise: Int, Sendable, CaseIterable {
    case launch
    case storm
    case floor
    case workConserving
    case fairness
    case reservation
    case patience

    /// P1 to P7.
    public var name: String { "P\(rawValue + 1)" }
}

/// For each promise the worst ratio of what was observed to its bound.
public struct PromiseRatios: Sendable, Equatable {
    private var worst = [Int64](repeating: 0, count: Promise.allCases.count)
    private var noted = [Int](repeating: 0, count: Promise.allCases.count)

    public init() {}

    /// In millionths.
    public func perMillion(_ promise: Promise) -> Int64 { worst[promise.rawValue] }
    public func observations(_ promise: Promise) -> Int { noted[promise.rawValue] }

    mutating func note(_ promise: Promise, _ observed: Int64, of bound: Int64) {
        noted[promise.rawValue] += 1
        guard observed > 0 else { return }
        let bound = max(bound, 1)
        // Most observations are far from the worst: the division is for those that are not.
        let (scaled, overflow) = observed.multipliedReportingOverflow(by: 1_000_000)
        let ratio = overflow ? observed / max(bound / 1_000_000, 1) : scaled / bound
        if ratio > worst[promise.rawValue] { worst[promise.rawValue] = ratio }
    }
}
