import Testing

@testable import Arbiter

/// Goal: guests that would lose their key by a refusal are not refused. Method: plain calls beside a long launch.
@Suite("Retry policy")
struct RetryPolicyTests {
    private func registration(_ policy: RetryPolicy, limit: Rate? = nil) -> Registration {
        Registration(
            reservationWanted: .zero, limit: limit, burst: 1, retryPolicy: policy, guestWaitMax: .milliseconds(1))
    }

    /// A host with a launch that keeps the SP for seconds.
    private func busyHost(_ configuration: Configuration = Configuration()) throws -> Host {
        let host = Host(configuration)
        let launcher = try host.register(Registration(reservationWanted: .zero))
        _ = try host.acquire(.launchStart, of: launcher, beginning: LaunchPlan(pages: 5_000, isWhole: true))
        return host
    }

    @Test("a `never` guest is not refused at all, and is served by the floor at the latest")
    func never() throws {
        let host = try busyHost()
        let vm = try host.register(registration(.never))
        let request = try host.acquire(.report, of: vm)
        host.run(for: .milliseconds(574))
        #expect(host.answer(to: request) == nil)
        host.run(for: .milliseconds(1))
        #expect(host.grant(of: request) != nil)
    }

    @Test("a guest that waits without a deadline is told how long, lest its client give the daemon up")
    func foretold() throws {
        let host = try busyHost()
        let vm = try host.register(registration(.never))
        let request = try host.acquire(.report, of: vm)
        let told = host.log.contains {
            if case .queued(let id, vm, let notice) = $0.decision {
                id == request && notice.estimate > .zero
            } else {
                false
            }
        }
        #expect(told)
    }

    @Test("a `once` guest is refused once, and not twice in a row")
    func once() throws {
        let host = try busyHost()
        let vm = try host.register(registration(.once))
        let first = try host.acquire(.report, of: vm)
        #expect(host.busy(first) != nil)
        let second = try host.acquire(.report, of: vm)
        host.run(for: .milliseconds(600))
        try host.release(#require(host.grant(of: second)).turn, of: vm)
        // After one that was served it may be refused again.
        let third = try host.acquire(.report, of: vm)
        #expect(host.busy(third) != nil)
    }

    @Test("a `once` guest whose refusal lies long back begins anew")
    func onceAnew() throws {
        // The floor covers a report after 4.25 s.
        let host = try busyHost(.with { $0.floorShare = Share(perMille: 2) })
        let vm = try host.register(registration(.once))
        #expect(try host.busy(host.acquire(.report, of: vm)) != nil)
        host.run(for: Limits.backlogMemory)
        #expect(try host.busy(host.acquire(.report, of: vm)) != nil)
    }

    @Test("a `linux` guest may be refused until its first attempt lies 40 s back")
    func linux() throws {
        let host = try busyHost()
        let vm = try host.register(registration(.linux))
        for _ in 0..<3 {
            #expect(try host.busy(host.acquire(.report, of: vm)) != nil)
            host.run(for: .milliseconds(100))
        }
    }

    @Test("a protected attempt skips the VM's limit")
    func skipsLimit() throws {
        let host = Host()
        let vm = try host.register(registration(.never, limit: Rate(millihertz: 25)))
        for _ in 0..<5 {
            let request = try host.acquire(.report, of: vm)
            try host.release(#require(host.grant(of: request)).turn, of: vm)
        }
    }

    @Test("a protected attempt keeps the normal order: it waits, but does not overtake")
    func normalOrder() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            c: turn 7, never
            asks
            a  r
            b  .r
            c  ..r
            expect
            SP aaaaaaabbbbbbbccccccc
            """)
    }

    @Test("a protected attempt of a light VM starts within 20 s beside a heavy one, under launches without end")
    func lightOne() throws {
        let bucket = LaunchBucket(perSecond: .seconds(1), burst: .seconds(600))
        let host = Host(
            .with {
                $0.launchBucketVM = bucket
                $0.launchBucketAccount = bucket
            })
        host.remembers = false
        host.checksEvery = 101
        let launcher = try LoopingLauncher(LaunchPlan(pages: 250), on: host)
        let heavy = try LoopingGuest(Registration(reservationWanted: .zero, weight: Weight(10_000)), on: host)
        let light = try LoopingGuest(
            Registration(reservationWanted: .zero, weight: Weight(1), retryPolicy: .never), on: host)
        host.run(for: .seconds(60))
        #expect(launcher.durations.count > 100)
        #expect(heavy.served.count > 100)
        #expect(light.served.count >= 3)
        #expect(light.longestWait <= Limits.frozenMax)
    }

    @Test("a protected attempt that is inside the reservation is not refused when reservations are suspended")
    func suspended() throws {
        let host = try busyHost()
        let vm = try host.register(Registration(retryPolicy: .never, guestWaitMax: .milliseconds(1)))
        let filler = try host.register(Registration(retryPolicy: .never, guestWaitMax: .milliseconds(1)))
        let requests = try [vm, filler].map { try host.acquire(.report, of: $0) }
        host.run(for: .milliseconds(560))
        #expect(requests.allSatisfy { host.busy($0) == nil })
        host.run(for: .seconds(1))
        #expect(requests.allSatisfy { host.busy($0) == nil })
    }

    @Test("drain and a dead device refuse protected attempts too")
    func drainRefuses() throws {
        try play(
            """
            column 1ms
            a: turn 20
            b: turn 7, never
            O: operator
            asks
            a  r
            b  .r
            O  ...d
            expect
            b  .~~B
            b: draining
            """)
    }
}
