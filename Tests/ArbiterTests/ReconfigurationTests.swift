import Testing

@testable import Arbiter

/// Goal: another configuration takes nothing from a VM that it was promised, and holds for all else at once.
/// Method: plain calls for each promise; seeded random configurations amid random calls; and full reservations that go
/// on while the configuration changes under them.
@Suite("Another configuration")
struct ReconfigurationTests {
    private static let onePerSecond = Registration(
        reservationWanted: .perSecond(1), reservationLeast: .perSecond(1), burst: 1)
    private static let unreserved = Registration(reservationWanted: .zero)

    private func host(_ registrations: [Registration]) throws -> Host {
        let host = Host(virtualMachines: 300)
        for registration in registrations { _ = try host.register(registration) }
        return host
    }

    /// What speaks against the defaults, changed so; if nothing does, they hold from then on.
    private func objections(
        _ host: Host, _ change: (inout Configuration) -> Void
    ) -> [ReconfigurationObjection] {
        let before = host.arbiter.configuration
        let other = Configuration.with(change)
        do {
            try host.reconfigure(other)
            #expect(host.arbiter.configuration == other)
            return []
        } catch {
            #expect(host.arbiter.configuration == before)
            return error.objections
        }
    }

    @Test("anything goes where there is no VM")
    func empty() throws {
        let host = try host([])
        #expect(objections(host) { $0.capacityPerSecond = .milliseconds(201) } == [])
        #expect(objections(host) { $0.guestWaitReserved = .seconds(20) } == [])
    }

    @Test("what is reserved must fit: by how much it does not is told")
    func capacity() throws {
        let host = try host(Array(repeating: Self.onePerSecond, count: 40))
        let lacks = ReconfigurationObjection.capacity(needed: .milliseconds(300), available: .milliseconds(299))
        #expect(objections(host) { $0.capacityPerSecond = .milliseconds(499) } == [lacks])
        #expect(objections(host) { $0.launchReservePerSecond = .milliseconds(651) } == [lacks])
        #expect(
            objections(host) { $0.planningCosts.report = .milliseconds(20) } == [
                .capacity(needed: .milliseconds(800), available: .milliseconds(750))
            ])
        #expect(objections(host) { $0.capacityPerSecond = .milliseconds(500) } == [])
    }

    @Test("minimum rates beyond the head-room must fit too")
    func minimum() throws {
        let host = try host(Array(repeating: Self.unreserved, count: 250))
        #expect(
            objections(host) {
                $0.capacityPerSecond = .seconds(1)
                $0.launchReservePerSecond = .milliseconds(960)
            } == [.capacity(needed: Nanoseconds(46_875_000), available: .milliseconds(40))])
    }

    @Test("the wait inside reservations stays below what was promised, and newcomers cannot make it longer")
    func reservedWait() throws {
        let host = try host([Self.onePerSecond])
        #expect(
            objections(host) { $0.launchBurst = .seconds(4) } == [
                .reservedWait(would: .milliseconds(5_386), limit: .seconds(5))
            ])
        #expect(
            objections(host) { $0.guestWaitReserved = .seconds(6) } == [
                .promisedWait(was: .seconds(5), would: .seconds(6))
            ])
        #expect(objections(host) { $0.guestWaitReserved = .seconds(4) } == [])
        let others = try self.host([Self.unreserved])
        #expect(objections(others) { $0.launchBurst = .seconds(4) } == [])
        #expect(objections(others) { $0.guestWaitReserved = .seconds(6) } == [])
    }

    @Test("reservations are not suspended sooner than they would have been")
    func overload() throws {
        let host = try host([Self.onePerSecond])
        #expect(
            objections(host) {
                $0.launchReservePerSecond = .milliseconds(100)
                $0.launchBurst = .milliseconds(600)
            } == [
                .launchReserve(was: .milliseconds(200), would: .milliseconds(100)),
                .launchBurst(was: .milliseconds(616), would: .milliseconds(600)),
            ])
        #expect(objections(try self.host([Self.unreserved])) { $0.launchBurst = .milliseconds(600) } == [])
    }

    @Test("the floor still reaches every VM in time, twice where one must not be refused")
    func patience() throws {
        let patient = try host(Array(repeating: Self.unreserved, count: 200))
        #expect(
            objections(patient) { $0.floorShare = Share(percent: 5) } == [
                .patience(would: Nanoseconds(30_532_000_000), limit: .seconds(20))
            ])
        #expect(objections(patient) { $0.floorShare = Share(percent: 8) } == [])
        let once = Registration(reservationWanted: .zero, retryPolicy: .once)
        let protected = try host([once] + Array(repeating: Self.unreserved, count: 100))
        #expect(
            objections(protected) { $0.floorShare = Share(percent: 7) } == [
                .patience(would: Nanoseconds(22_174_857_143), limit: .seconds(20))
            ])
    }

    @Test("what was broken before, by whatever way, may be mended by halves but not worsened")
    func brokenBefore() throws {
        let host = try host(Array(repeating: Self.onePerSecond, count: 40))
        try host.restore(.with { $0.capacityPerSecond = .milliseconds(400) })
        #expect(objections(host) { $0.capacityPerSecond = .milliseconds(450) } == [])
        #expect(
            objections(host) { $0.capacityPerSecond = .milliseconds(449) } == [
                .capacity(needed: .milliseconds(300), available: .milliseconds(249))
            ])
    }

    @Test("VMs keep what they registered with; newcomers get what holds then")
    func levelOfService() throws {
        let host = Host()
        let old = try host.admit(Registration(reservationWanted: .perSecond(5)))
        try host.reconfigure(
            .with {
                $0.guestWaitMax = .milliseconds(100)
                $0.accountReservationMax = .perSecond(6)
            })
        let new = try host.admit(Registration(reservationWanted: .perSecond(5)))
        #expect(old.guestWaitMax == .milliseconds(500) && new.guestWaitMax == .milliseconds(100))
        #expect(host.report(of: old.vm)?.reservation == .perSecond(5) && new.reservation == .perSecond(1))
    }

    @Test("a larger chunk lets a launch command through whole that is queued already, and a smaller one cuts it")
    func chunk() throws {
        for pages in [UInt32(8), 64] {
            let host = Host()
            let (first, second) = (try host.register(Self.unreserved), try host.register(Self.unreserved))
            let held = try host.acquire(.report, of: first)
            _ = try host.begin(LaunchPlan(pages: 64, virtualCPUs: 1, isWhole: false, isProxy: false), of: second)
            let queued = try host.acquire(.launchUpdate, 64, of: second)
            try host.reconfigure(.with { $0.chunkPages = pages })
            try host.release(#require(host.grant(of: held)).turn, of: first)
            #expect(host.grant(of: queued)?.units == pages)
        }
    }

    @Test("a refused configuration changes nothing but that time has passed")
    func refusedChangesNothing() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var caller = RandomCaller(seed: seed)
            var twin = RandomCaller(seed: seed)
            for _ in 0..<200 {
                caller.act()
                twin.act()
            }
            let refused = Configuration.with { $0.capacityPerSecond = .milliseconds(1) }
            if caller.reconfigure(refused) == nil { continue }
            twin.advance()
            #expect(caller.savedState == twin.savedState && caller.log == twin.log)
        }
    }

    @Test("a setting that nobody is affected by changes no decision", arguments: 1...20 as ClosedRange<UInt64>)
    func sameDecisions(seed: UInt64) throws {
        var caller = RandomCaller(seed: seed)
        var twin = RandomCaller(seed: seed)
        for step in 0..<300 {
            caller.act()
            twin.act()
            guard step % 5 == 0 else { continue }
            var other = caller.configuration
            other.accountReservationMax = .perSecond(Int64(9_000 + step))
            #expect(caller.reconfigure(other) == nil)
            twin.advance()
            try #require(caller.log == twin.log, "step \(step)")
        }
        #expect(caller.granted > 20, "too little happened")
    }

    @Test(
        "amid any calls the invariants hold, and each request is answered once",
        arguments: 1...40 as ClosedRange<UInt64>)
    func anySequence(seed: UInt64) {
        var caller = RandomCaller(seed: seed)
        var random = SeededRandom(seed &+ 5_000)
        var (taken, refused) = (0, 0)
        for _ in 0..<500 {
            caller.act()
            guard random.below(6) == 0 else { continue }
            if caller.reconfigure(Self.any(&random, from: caller.configuration)) == nil {
                taken += 1
            } else {
                refused += 1
            }
        }
        caller.settle()
        #expect(caller.unanswered == [] && caller.answeredTwice == [])
        #expect(taken > 0 && refused > 0, "\(taken) taken, \(refused) refused")
    }

    @Test(
        "full reservations are served within the promise whatever is accepted", arguments: 1...12 as ClosedRange<UInt64>
    )
    func reservationsAreKept(seed: UInt64) throws {
        let host = Host(virtualMachines: 80)
        var random = SeededRandom(seed)
        let reserving = try (0..<50).map { index in
            try LoopingGuest(
                Self.onePerSecond, on: host, period: .seconds(1), startingAfter: .milliseconds(Int64(index)))
        }
        let others = try (0..<8).map { _ in try LoopingGuest(Self.unreserved, on: host) }
        var (taken, refused) = (0, 0)
        for _ in 0..<60 {
            host.run(for: .milliseconds(Int64(random.below(1_000))))
            if (try? host.reconfigure(Self.any(&random, from: host.arbiter.configuration))) != nil {
                taken += 1
            } else {
                refused += 1
            }
        }
        for guest in reserving {
            #expect(guest.refusals == 0)
            #expect(guest.longestWait <= .seconds(5), "\(guest.longestWait)")
        }
        #expect(taken > 3 && refused > 3, "\(taken) taken, \(refused) refused")
        #expect(others.allSatisfy { !$0.served.isEmpty })
    }

    /// One that the daemon might read: some settings are others.
    private static func any(_ random: inout SeededRandom, from running: Configuration) -> Configuration {
        var other = running
        for _ in 0..<3 { change(&other, &random) }
        return other
    }

    private static func change(_ other: inout Configuration, _ random: inout SeededRandom) {
        func milliseconds(_ range: Range<Int>) -> Nanoseconds {
            .milliseconds(Int64(range.randomElement(using: &random)!))
        }
        func microseconds(_ range: Range<Int>) -> Nanoseconds {
            .microseconds(Int64(range.randomElement(using: &random)!))
        }
        switch random.below(14) {
        case 0: other.capacityPerSecond = milliseconds(500..<1_000)
        case 1: other.launchReservePerSecond = milliseconds(150..<350)
        case 2: other.launchBurst = milliseconds(500..<1_500)
        case 3: other.floorShare = Share(perMille: Int64(1 + random.below(900)))
        case 4: other.floorDelay = milliseconds(0..<1_000)
        case 5: other.chunkPages = UInt32(1 + random.below(64))
        case 6: other.launchOrder = random.below(2) == 0 ? .shortestFirst : .firstComeFirstServed
        case 7: other.hold = microseconds(200..<10_000)
        case 8: other.guestWaitMax = milliseconds(1..<3_000)
        case 9: other.guestWaitReserved = milliseconds(3_000..<7_000)
        case 10: other.planningCosts.report = microseconds(5_000..<12_000)
        case 11: other.planningCosts.launchPage = microseconds(200..<3_000)
        case 12: other.launchBucketVM.perSecond = milliseconds(1..<1_000)
        default: other.launchWallClockMax = milliseconds(1_000..<10_000)
        }
    }
}

extension Host {
    func reconfigure(_ configuration: Configuration) throws(ReconfigurationRefusal) {
        try step { (arbiter, now, out) throws(ReconfigurationRefusal) in
            try arbiter.reconfigure(configuration, now: now, into: &out)
        }
    }
}
