import Arbiter
import LinuxIO
import SPModel

/// A guest that attests again and again, with the behaviour of Linux's `sev-guest` driver.
struct Guest {
    /// `nil`: a tight loop, with only the guest's own work between a report and the next request. Otherwise the time
    /// from one request to the next, as a guest that keeps to its rate leaves.
    let period: Nanoseconds?
    let think: Nanoseconds

    /// Attests from `start` on, and returns only if the driver gave up its key.
    func attestForever<Path: HostPath & ~Copyable>(
        by path: inout Path, from start: Instant, report: (VMReport) throws(VMFailure) -> Void
    ) throws(VMFailure) {
        var next = start
        while true {
            Sleep.until(next)
            let firstAttempt = BootClock.now()
            while try path.attest() == .busy {
                let now = BootClock.now()
                try report(.busy(at: now))
                switch GuestDriver.afterBusy(firstAttempt: firstAttempt, now: now) {
                case .retry(let pause): Sleep.for(pause)
                case .keyLost:
                    try report(.keyLost(at: now))
                    return
                }
            }
            let end = BootClock.now()
            try report(.report(end: end))
            next = period.map { max(next + $0, end) } ?? end + think
        }
    }
}
