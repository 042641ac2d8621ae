import Testing

@testable import Arbiter

/// Goal: whatever an operator may set and a client may declare, no sum leaves 64 bits. Method: the greatest values that
/// are accepted, all at once; an overflow would end the process.
@Suite("Extremes")
struct ExtremeTests {
    @Test("under shortest-first, the largest launch with the slowest ageing has a place behind the small ones")
    func largestHandicap() throws {
        let configuration = Configuration.with {
            $0.launchOrder = .shortestFirst
            $0.launchAging = .seconds(600)
            $0.launchPagesMax = 16_777_216
        }
        let host = Host(configuration)
        let (large, small) = (try host.register(), try host.register(account: host.openAccount()))
        _ = try host.begin(LaunchPlan(pages: 16_777_216), of: large)
        host.run(for: .seconds(1))
        let holder = try host.register(Registration(reservationWanted: .zero))
        let held = try host.acquire(.report, of: holder)
        let ofLarge = try host.acquire(.launchStart, of: large)
        let ofSmall = try host.acquire(.launchStart, of: small, beginning: LaunchPlan(pages: 1))
        try host.release(#require(host.grant(of: held)).turn, of: holder)
        #expect(host.grant(of: ofSmall) != nil)
        #expect(host.grant(of: ofLarge) == nil)
    }

    @Test("a machine that slept for ten years while a guest held its turn finds the floor full, not broken")
    func longSleep() throws {
        let host = Host(.with { $0.floorShare = Share(percent: 90) })
        let vm = try host.register()
        let request = try host.acquire(.report, of: vm)
        host.run(for: .seconds(60))
        let start = host.now
        host.run(until: start + .seconds(10 * 365 * 86_400))
        host.step { arbiter, now, out in arbiter.advance(to: now, into: &out) }
        #expect(host.arbiter.floor.balance == host.arbiter.floor.most)
        try host.release(#require(host.grant(of: request)).turn, of: vm)
    }

    @Test("a launch bucket that drains slowly drains to the end, however long that takes")
    func slowBucket() throws {
        let slow = LaunchBucket(perSecond: .milliseconds(1), burst: .milliseconds(1))
        let host = Host(.with { $0.launchBucketVM = slow })
        let vm = try host.register()
        let session = try host.begin(LaunchPlan(pages: 10_000), of: vm)
        let debt = host.arbiter.virtualMachines[Int(vm.slot)].launchDebt
        #expect(debt.wait(for: .milliseconds(1), at: host.now, slow) > .seconds(9_000))
        #expect(debt.isPaid(at: host.now + .seconds(11_000), slow))
        try host.end(session, of: vm)
    }

    @Test(
        "a whole launch holds the SP no longer than its session may stay open, unless it is meant to take longer"
    )
    func wholeLease() throws {
        for (pages, lease) in [
            (10, Nanoseconds.microseconds(4 * (5_300 + 5_000 + 11_000)) + .seconds(1)),
            (200_000, .seconds(300)),
            (400_000, .microseconds(5_300 + 5_000 + 400_001_000) + .seconds(1)),
        ] as [(UInt32, Nanoseconds)] {
            let host = Host(.with { $0.launchPagesMax = 1_000_000 })
            let vm = try host.register()
            let request = try host.acquire(.wholeLaunch, of: vm, beginning: LaunchPlan(pages: pages, isWhole: true))
            #expect(try #require(host.grant(of: request)).lease == lease)
        }
    }
}
