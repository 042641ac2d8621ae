import Arbiter
import SPModel
import Testing

/// Goal: the rules of lib/ratelimit.c, each by itself. Method: calls at given milliseconds, HZ = 1000.
@Suite("___ratelimit")
struct LinuxRateLimitTests {
    func allowed(_ limit: inout LinuxRateLimit, at milliseconds: Int64...) -> [Bool] {
        milliseconds.map { limit.allows(at: Instant(sinceBoot: .milliseconds($0))) }
    }

    @Test("a window lasts its interval and one jiffy: the comparison is strict")
    func strict() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 1)
        #expect(allowed(&limit, at: 5_000, 5_999, 6_000, 6_001) == [true, false, false, true])
    }

    @Test("a window begins with the first call after the last one's end, not at that end")
    func anchor() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 1)
        #expect(allowed(&limit, at: 0, 1_700, 2_002, 2_700, 2_701) == [true, true, false, false, true])
    }

    @Test("what a window leaves unused is lost")
    func unusedBurst() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 2)
        #expect(allowed(&limit, at: 0, 1_001, 1_002, 1_003) == [true, true, true, false])
    }

    @Test("around the end of a window 2 × burst - 1 calls pass within two jiffies")
    func edge() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 3)
        #expect(
            allowed(&limit, at: 0, 1_000, 1_000, 1_000, 1_001, 1_001, 1_001, 1_001)
                == [true, true, true, false, true, true, true, false])
    }

    @Test("a suppressed call does not extend the window")
    func noExtension() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 1)
        #expect(allowed(&limit, at: 0, 900, 1_001, 1_950, 2_002) == [true, false, true, false, true])
    }

    @Test("an interval of zero never limits; a burst of zero always does, and counts")
    func degenerate() {
        var none = LinuxRateLimit(interval: .zero, burst: 0)
        #expect(allowed(&none, at: 0, 0, 0) == [true, true, true])
        #expect(none.missed == 0)
        var always = LinuxRateLimit(interval: .seconds(1), burst: 0)
        #expect(allowed(&always, at: 0, 5_000) == [false, false])
        #expect(always.missed == 2)
    }

    @Test("suppressed calls are counted until the next window opens")
    func missed() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 1)
        _ = allowed(&limit, at: 0, 1, 2)
        #expect(limit.missed == 2)
        _ = allowed(&limit, at: 1_001)
        #expect(limit.missed == 0)
    }

    @Test("time is whole jiffies: at HZ = 250 a window is as much as 4 ms longer")
    func coarse() {
        var limit = LinuxRateLimit(interval: .seconds(1), burst: 1, hz: 250)
        #expect(limit.intervalJiffies == 250)
        #expect(allowed(&limit, at: 3, 1_003, 1_004) == [true, false, true])
    }

    @Test("behind {10 s, burst 10} a Linux guest in a tight loop gets 0.97 reports a second and stalls for 10.2 s")
    func observedCloudHost() {
        var limit = LinuxRateLimit(interval: .seconds(10), burst: 10)
        let report = Nanoseconds.microseconds(7_900)
        var now = Instant(sinceBoot: .zero)
        var served: [Instant] = []
        while served.count < 101 {
            if limit.allows(at: now) {
                now += report
                served.append(now)
            } else {
                now += GuestDriver.busyRetry
            }
        }
        let seconds = (served[100] - served[0]).count / 1_000_000
        #expect((960...985).contains(100_000_000 / seconds))
        let longest = zip(served, served.dropFirst()).map { $1 - $0 }.max()!
        #expect(longest > .milliseconds(10_200) && longest < .milliseconds(10_300))
    }

    @Test("the guest's driver retries every 2.046 s and loses its key past 60 s")
    func driver() {
        let first = Instant(sinceBoot: .seconds(100))
        #expect(GuestDriver.afterBusy(firstAttempt: first, now: first) == .retry(after: .milliseconds(2_046)))
        #expect(
            GuestDriver.afterBusy(firstAttempt: first, now: first + .seconds(60)) == .retry(after: .milliseconds(2_046))
        )
        #expect(GuestDriver.afterBusy(firstAttempt: first, now: first + .milliseconds(60_001)) == .keyLost)
    }
}
