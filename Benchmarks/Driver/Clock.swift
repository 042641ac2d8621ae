import Glibc

/// Nanoseconds on one of the kernel's clocks.
enum Clock {
    /// Since some point in the past.
    static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }
    /// That the CPU has spent on this thread: what others do on the machine meanwhile is no part of it.
    static func thread() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
