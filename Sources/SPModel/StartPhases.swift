import Arbiter

/// Random instants at which guests begin. By default within one sleep of a refused guest, which is the phase that would
/// keep them in step, and before anything is counted.
public struct StartPhases: Sendable {
    private let range: Nanoseconds
    private var random: SplitMix64

    public init(within range: Nanoseconds, seed: UInt64) {
        self.range = range
        random = SplitMix64(seed: seed)
    }

    public init(warmUp: Nanoseconds, seed: UInt64) {
        self.init(within: min(GuestDriver.busyRetry, warmUp), seed: seed)
    }

    public mutating func next() -> Nanoseconds { Nanoseconds(Int64(random.next() % UInt64(max(1, range.count)))) }
}
