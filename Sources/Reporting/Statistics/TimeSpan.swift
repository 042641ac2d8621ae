import Arbiter

/// A stretch of time, the end not included.
public struct TimeSpan: Hashable, Sendable {
    public var start: Instant
    public var end: Instant

    public init(start: Instant, end: Instant) {
        self.start = start
        self.end = end
    }

    public var length: Nanoseconds { max(.zero, end - start) }

    public func contains(_ instant: Instant) -> Bool { start <= instant && instant < end }

    public func clipped(to other: TimeSpan) -> TimeSpan {
        TimeSpan(start: max(start, other.start), end: min(end, other.end))
    }

    /// What of this span none of the others covers.
    public func without(_ others: [TimeSpan]) -> [TimeSpan] {
        var free: [TimeSpan] = []
        var next = start
        for other in others.map({ $0.clipped(to: self) }).sorted(by: { $0.start < $1.start }) where other.length > .zero
        {
            if other.start > next { free.append(TimeSpan(start: next, end: other.start)) }
            next = max(next, other.end)
        }
        if next < end { free.append(TimeSpan(start: next, end: end)) }
        return free
    }
}
