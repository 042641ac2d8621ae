import Arbiter
import CSystemd.Socket
import Glibc

/// The host's boot clock: it is never set and runs on while the host is suspended.
public enum BootClock {
    @inlinable public static func now() -> Instant {
        Instant(sinceBoot: Nanoseconds(linux_clock_boottime_ns()))
    }
}

/// The calendar's time: it may be set, so it is for people only.
public enum CalendarClock {
    /// Nanoseconds since 1970.
    public static func now() -> Int64 {
        var time = timespec()
        // SAFETY: the kernel fills the structure during the call; this clock always exists.
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// One alarm on the boot clock, readable by `EventPoll` once it has passed.
public struct BootTimer: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    public init() throws(SystemError) {
        descriptor = FileDescriptor(adopting: try check(linux_boot_timer_create(), "create a timer"))
    }

    /// Fires once at `instant`, at once if it has passed; `nil` disarms.
    public borrowing func set(_ instant: Instant?) throws(SystemError) {
        let at = instant.map { max($0.sinceBoot.count, 1) } ?? 0
        _ = try check(linux_boot_timer_set(descriptor.number, at), "set a timer")
    }

    /// Takes note of an expiry, so that the descriptor is no longer readable.
    public borrowing func acknowledge() throws(SystemError) {
        _ = try check(linux_counter_take(descriptor.number), "read a timer")
    }
}

/// The clock that the service manager orders notifications by.
public enum MonotonicClock {
    public static func microseconds() -> UInt64 {
        var time = timespec()
        // SAFETY: the kernel fills the structure during the call; this clock always exists.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }
}

/// The time of day, for people. It may jump.
public enum WallClock {
    /// Since 1970.
    public static func microseconds() -> Int64 {
        var time = timespec()
        // SAFETY: the kernel fills the structure during the call; this clock always exists.
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

/// Wakes an `EventPoll` from another thread.
public struct WakeUp: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    public init() throws(SystemError) {
        descriptor = FileDescriptor(adopting: try check(linux_eventfd_create(), "create an event descriptor"))
    }

    public borrowing func signal() { _ = linux_eventfd_signal(descriptor.number) }

    /// Whether `signal` was called since the last time; afterwards the descriptor is no longer readable.
    public borrowing func take() -> Bool { linux_counter_take(descriptor.number) > 0 }
}
