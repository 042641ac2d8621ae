import Arbiter
import Glibc
import LinuxIO

enum Sleep {
    /// Sleeps until `instant` on the boot clock; not at all if it has passed.
    static func until(_ instant: Instant) {
        let count = max(instant.sinceBoot.count, 0)
        var time = timespec(tv_sec: Int(count / 1_000_000_000), tv_nsec: Int(count % 1_000_000_000))
        while clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nil) == EINTR {}
    }

    static func `for`(_ duration: Nanoseconds) { until(BootClock.now() + duration) }
}
