/// The generic cell rate algorithm (ITU-T I.371): a token bucket in one timestamp, without a timer.
///
/// A request conforms from `opens` on; each conforming one moves the theoretical arrival time by one interval.
struct CellRate: Sendable, Equatable {
    private(set) var theoreticalArrival: Instant

    /// From when on the next request conforms.
    func opens(tolerance: Nanoseconds) -> Instant { theoreticalArrival - tolerance }

    /// Begins as one that was charged up to `instant`.
    init(chargedUntil instant: Instant = .distantPast) { theoreticalArrival = instant }

    mutating func charge(_ interval: Nanoseconds, at now: Instant) {
        theoreticalArrival = max(theoreticalArrival, now) + interval
    }

    /// Also one that does not conform: however many of those come, the time stays within `last`.
    mutating func charge(_ interval: Nanoseconds, at now: Instant, notBeyond last: Instant) {
        charge(interval, at: now)
        theoreticalArrival = min(theoreticalArrival, last)
    }
}
