import Testing

@testable import Arbiter

/// Goal: a VM's own limit. Method: looping guests, and plain calls.
@Suite("Rate limit")
struct LimitTests {
    @Test("a wait inside a reservation costs nothing of a limit as large: the whole burst may follow")
    func waitCostsNothing() throws {
        let host = Host()
        let blocker = try host.register(Registration(reservationWanted: .zero))
        let rate = Rate.perSecond(4)
        let vm = try host.register(Registration(reservationWanted: rate, limit: rate, burst: 26))
        let session = try host.begin(LaunchPlan(pages: 300, isWhole: true), of: blocker)
        let blocking = try host.acquire(.wholeLaunch, 300, of: blocker)
        let first = try host.acquire(.report, of: vm)
        host.run(for: .milliseconds(260))
        try host.release(#require(host.grant(of: blocking)).turn, of: blocker, units: 300)
        try host.end(session, of: blocker)
        try host.release(#require(host.grant(of: first)).turn, of: vm)
        for _ in 0..<26 {
            let request = try host.acquire(.report, of: vm)
            try host.release(#require(host.grant(of: request)).turn, of: vm)
        }
    }

    private func limited(_ limit: Rate = .perSecond(1), burst: Int64 = 2, wait: Nanoseconds? = nil) -> Registration {
        Registration(reservationWanted: .zero, limit: limit, burst: burst, guestWaitMax: wait)
    }

    @Test(
        "a looping Linux guest limited to 1/s gets 1.00/s over ten minutes: its sleep does not overflow its bucket",
        arguments: [1, 2, 3] as [Int64])
    func tolerance(burst: Int64) throws {
        let host = Host()
        host.remembers = false
        let guest = try LoopingGuest(limited(burst: burst), on: host)
        host.run(for: .seconds(600))
        // At the start it may run ahead by its burst, or by a retry quantum.
        #expect((600...603).contains(guest.served.count))
    }

    @Test("in no window does a VM get more than its tolerance and its rate")
    func windows() throws {
        let host = Host()
        host.remembers = false
        let guest = try LoopingGuest(limited(.perSecond(2), burst: 4), on: host)
        host.run(for: .seconds(60))
        for (index, start) in guest.served.enumerated() {
            for length in [1, 5, 20] as [Int64] {
                let inside = guest.served[index...].prefix { $0 < start + .seconds(length) }.count
                // Tolerance 2.046 s: 4.09 requests ahead, one at once, and those of the window.
                #expect(Int64(inside) <= 6 + 2 * length)
            }
        }
    }

    @Test("a request over its limit waits only if it conforms within guest_wait_max")
    func waits() throws {
        let host = Host()
        let vm = try host.register(limited(burst: 1, wait: .milliseconds(955)))
        let short = try host.register(limited(burst: 1, wait: .milliseconds(954)))
        for vm in [vm, short] {
            for _ in 0..<3 {
                let request = try host.acquire(.report, of: vm)
                try host.release(#require(host.grant(of: request)).turn, of: vm)
            }
        }
        let waiting = try host.acquire(.report, of: vm)
        let refused = try host.acquire(.report, of: short)
        #expect(host.busy(refused) == Busy(retryAfter: .milliseconds(954), reason: .limit, holder: nil))
        host.run(for: .milliseconds(953))
        #expect(host.answer(to: waiting) == nil)
        host.run(for: .milliseconds(1))
        #expect(host.grant(of: waiting) != nil)
    }

    @Test("a request that its own limit bars keeps nobody else from the SP")
    func barredIsNotEligible() throws {
        let host = Host()
        let vm = try host.register(limited(burst: 1, wait: .seconds(2)))
        for _ in 0..<3 {
            let request = try host.acquire(.report, of: vm)
            try host.release(#require(host.grant(of: request)).turn, of: vm)
        }
        _ = try host.acquire(.report, of: vm)
        let other = try host.register()
        let request = try host.acquire(.report, of: other)
        #expect(host.grant(of: request) != nil)
    }

    @Test("the first request after a launch skips the limit, once a minute")
    func waiver() throws {
        let host = Host()
        let vm = try host.register(limited(burst: 1))
        func report() throws -> BusyReason? {
            let request = try host.acquire(.report, of: vm)
            if let busy = host.busy(request) { return busy.reason }
            try host.release(#require(host.grant(of: request)).turn, of: vm)
            return nil
        }
        func launch() throws {
            let session = try host.begin(LaunchPlan(pages: 1), of: vm)
            try host.end(session, of: vm)
        }
        func exhaust() throws { while try report() == nil {} }
        try exhaust()
        try launch()
        #expect(try report() == nil)
        #expect(try report() == .limit)
        try launch()
        #expect(try report() == .limit)
        host.run(for: .seconds(60))
        try exhaust()
        try launch()
        #expect(try report() == nil)
        #expect(try report() == .limit)
    }

    @Test("a looping guest at the least limit is served again before its driver gives up")
    func patience() throws {
        let host = Host()
        let guest = try LoopingGuest(limited(Rate(millihertz: 25), burst: 1), on: host)
        host.run(for: .seconds(400))
        #expect((10...12).contains(guest.served.count))
        #expect(Limits.retryQuantum * Int64(guest.mostRefusalsInARow) <= .seconds(42))
    }

    @Test("a limit below one request in 40 s is an error, for such a guest would lose its key")
    func least() {
        for rate in [Rate.zero, Rate(millihertz: 24)] {
            #expect(throws: AdmissionRefusal.self) { try Host().register(limited(rate)) }
        }
        #expect(throws: Never.self) { try Host().register(limited(Rate(millihertz: 25))) }
    }
}
