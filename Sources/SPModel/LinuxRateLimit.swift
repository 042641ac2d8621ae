import Arbiter

/// Linux's `___ratelimit()` (lib/ratelimit.c), for a state that no two callers use at once.
///
/// A fixed window that begins with the first call after the last window's end, not when that ended: with a burst of 1,
/// two calls are allowed only if they are at least the interval and one jiffy apart. What a window leaves unused is
/// lost.
public struct LinuxRateLimit: Sendable {
    public let intervalJiffies: Int64
    public let burst: Int32
    /// Jiffies in a second.
    public let hz: Int64

    /// Calls suppressed in the current window.
    public private(set) var missed: UInt64 = 0
    private var window: (begin: Int64, left: Int32)?

    /// - Parameters:
    ///   - interval: rounded down to whole jiffies, as an integer division by HZ does.
    ///   - hz: `CONFIG_HZ`: 1000 unless told, which gives the finest window any kernel has.
    public init(interval: Nanoseconds, burst: Int32, hz: Int64 = 1_000) {
        self.hz = hz
        self.burst = burst
        intervalJiffies = Self.jiffies(interval, hz: hz)
    }

    /// Whether a call at `now` may go ahead.
    public mutating func allows(at now: Instant) -> Bool {
        // An interval of zero never limits; otherwise a burst of zero or less always does.
        guard intervalJiffies > 0, burst > 0 else {
            let allowed = intervalJiffies == 0 || burst > 0
            if !allowed { missed += 1 }
            return allowed
        }
        openWindow(at: Self.jiffies(now.sinceBoot, hz: hz))
        guard let left = window?.left, left > 0 else {
            missed += 1
            return false
        }
        window?.left = left - 1
        return true
    }

    /// `time_is_before_jiffies(begin + interval)`: strictly before, so the window is one jiffy longer than its
    /// interval.
    private mutating func openWindow(at jiffies: Int64) {
        guard let begin = window?.begin else {
            window = (jiffies, burst)
            return
        }
        guard begin + intervalJiffies < jiffies else { return }
        window = (jiffies, burst)
        missed = 0
    }

    private static func jiffies(_ time: Nanoseconds, hz: Int64) -> Int64 {
        time.count / 1_000_000_000 * hz + time.count % 1_000_000_000 * hz / 1_000_000_000
    }
}
