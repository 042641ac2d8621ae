/// A length of time, or an amount of SP time: whole nanoseconds. Also the unit of every budget.
public struct Nanoseconds: Hashable, Comparable, Sendable, AdditiveArithmetic {
    public var count: Int64

    @inlinable public init(_ count: Int64) { self.count = count }

    public static let zero = Nanoseconds(0)

    @inlinable public static func microseconds(_ count: Int64) -> Self { Self(count * 1_000) }
    @inlinable public static func milliseconds(_ count: Int64) -> Self { Self(count * 1_000_000) }
    @inlinable public static func seconds(_ count: Int64) -> Self { Self(count * 1_000_000_000) }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.count < right.count }
    @inlinable public static func + (left: Self, right: Self) -> Self { Self(left.count + right.count) }
    @inlinable public static func - (left: Self, right: Self) -> Self { Self(left.count - right.count) }
    @inlinable public static func * (left: Self, factor: Int64) -> Self { Self(left.count * factor) }
    @inlinable public static func / (left: Self, divisor: Int64) -> Self { Self(left.count / divisor) }
    @inlinable public static prefix func - (value: Self) -> Self { Self(-value.count) }

    /// This value, moved into `range` if it lies outside.
    @inlinable public func clamped(to range: ClosedRange<Self>) -> Self {
        min(max(self, range.lowerBound), range.upperBound)
    }
}

/// A point in time: nanoseconds on the host's boot clock (`CLOCK_BOOTTIME`), which runs on through suspend.
public struct Instant: Hashable, Comparable, Sendable {
    public var sinceBoot: Nanoseconds

    @inlinable public init(sinceBoot: Nanoseconds) { self.sinceBoot = sinceBoot }

    /// Later than anything that happens; half of the range, so that adding a duration cannot overflow.
    public static let distantFuture = Instant(sinceBoot: Nanoseconds(Int64.max / 2))
    public static let distantPast = Instant(sinceBoot: Nanoseconds(Int64.min / 2))

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.sinceBoot < right.sinceBoot }
    @inlinable public static func + (left: Self, right: Nanoseconds) -> Self {
        Self(sinceBoot: left.sinceBoot + right)
    }
    @inlinable public static func - (left: Self, right: Nanoseconds) -> Self {
        Self(sinceBoot: left.sinceBoot - right)
    }
    @inlinable public static func - (left: Self, right: Self) -> Nanoseconds { left.sinceBoot - right.sinceBoot }
    @inlinable public static func += (left: inout Self, right: Nanoseconds) { left = left + right }
}

/// Requests per thousand seconds (millihertz): 1 a second is 1000, the least limit of 1 in 40 seconds is 25.
///
/// A rate is never passed as an interval: `interval` is the only way from one to the other.
public struct Rate: Hashable, Comparable, Sendable {
    public var millihertz: Int64

    @inlinable public init(millihertz: Int64) { self.millihertz = millihertz }
    @inlinable public static func perSecond(_ count: Int64) -> Self { Self(millihertz: count * 1_000) }

    public static let zero = Rate(millihertz: 0)

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.millihertz < right.millihertz }

    /// The time between two requests at this rate. The rate must not be zero.
    @inlinable public var interval: Nanoseconds { Nanoseconds(1_000_000_000_000 / millihertz) }

    /// The SP time that requests of `cost` take in one second at this rate.
    @inlinable public func load(each cost: Nanoseconds) -> Nanoseconds {
        Nanoseconds((cost.count * millihertz + 999) / 1_000)
    }
}

/// A fraction in thousandths: the floor share, for example.
public struct Share: Hashable, Comparable, Sendable {
    public var perMille: Int64

    @inlinable public init(perMille: Int64) { self.perMille = perMille }
    @inlinable public init(percent: Int64) { self.perMille = percent * 10 }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.perMille < right.perMille }

    /// This share of a duration, rounded down.
    @inlinable public func of(_ whole: Nanoseconds) -> Nanoseconds { Nanoseconds(whole.count * perMille / 1_000) }

    /// The duration of which `part` is this share, rounded up. The share must not be zero.
    @inlinable public func whole(of part: Nanoseconds) -> Nanoseconds {
        Nanoseconds((part.count * 1_000 + perMille - 1) / perMille)
    }
}

/// A VM's share of the surplus, against the other VMs' weights.
public struct Weight: Hashable, Comparable, Sendable {
    public var value: Int64

    @inlinable public init(_ value: Int64) { self.value = value }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
