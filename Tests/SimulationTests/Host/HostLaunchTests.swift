import Arbiter
import SPModel
import Simulation
import Testing

/// Goal: launches come as their pattern says and go as their VMM issues them. Method: one kind at a time, and the sums.
@Suite("Simulated host: launches")
struct HostLaunchTests {
    private func play(
        _ launch: LaunchGroup, _ policy: HostPolicy = .spschedd, guests: [GuestGroup] = [],
        duration: Nanoseconds = .seconds(20), _ change: (inout HostPlan) -> Void = { _ in }
    ) throws -> HostRecord {
        var plan = HostPlan.make(policy, duration: duration, guests: guests, launches: [launch])
        change(&plan)
        return try record(of: plan)
    }

    @Test("a boot is the launch's commands and 144 ms that the SP has no part in", arguments: LaunchProfile.all)
    func bootLatency(profile: LaunchProfile) throws {
        for policy in [HostPolicy.mutex, .spschedd, .priority(hold: true, floor: true)] {
            let record = try play(LaunchGroup(profile: profile), policy)
            let boot = try #require(record.launches[0].boots.first)
            let took = try #require(boot.commandsTook)
            #expect(boot.outcome == .running && boot.latency - took == .milliseconds(144))
            let service = boot.service
            // Its pages' gaps of 30 µs, and its ioctls' of 0.3 to 2 ms.
            let gaps = Nanoseconds.microseconds(30) * Int64(profile.pages)
            #expect(took > service + gaps * 90 / 100)
            #expect(took < service + gaps + .milliseconds(3) + .milliseconds(Int64(profile.pages) / 32))
        }
    }

    @Test("evenly, at random, in storms, one after another and continuously: as many as the pattern says")
    func patterns() throws {
        func count(_ pattern: LaunchPattern) throws -> Int {
            let launches = try play(LaunchGroup(profile: .microvm, pattern: pattern)).launches[0]
            #expect(launches.boots.count == launches.requested && launches.turnedAway == 0)
            #expect(launches.boots.allSatisfy { $0.outcome == .running })
            return launches.requested
        }
        #expect(try count(.evenly(every: .seconds(2), first: .seconds(1))) == 10)
        #expect((75...125).contains(try count(.random(perMinute: 300))))
        #expect(try count(.storm(of: 7, first: .seconds(3), every: .seconds(5))) == 28)
        #expect(try count(.storm(of: 7)) == 7)
        // 144 ms and 33.
        #expect((105...120).contains(try count(.oneAfterAnother)))
        // Limited by the SP alone.
        #expect((560...660).contains(try count(.continuous(atOnce: 8))))
    }

    @Test("a whole launch is one turn: the floor's guests come between its pages, others do not")
    func whole() throws {
        let guests = [GuestGroup("loop", count: 8)]
        let launch = LaunchGroup(
            profile: .ovmf4MiB, style: .whole, pattern: .evenly(every: .seconds(5), first: .seconds(1)))
        let record = try play(launch, guests: guests)
        let turns = try #require(record.arbiter)
        #expect(turns.launchTurns == 4 && turns.launches == 4 && turns.floorTurns > 10)
        #expect(record.launches[0].boots.allSatisfy { $0.outcome == .running })
        // A second of its own, and the floor's tenth.
        #expect(record.boot(perMille: 1_000) < .milliseconds(1_500))
        #expect(record.device.idleWhileEligible == .zero)
    }

    @Test("a region of a legacy launch is one command that nobody can interrupt; in turns it is divided")
    func legacy() throws {
        let launch = LaunchGroup(profile: .ovmf1MiB, style: .legacy)
        let guests = [GuestGroup("polite", count: 4, model: .polite(.perSecond(10)))]
        let mutex = try play(launch, .mutex, guests: guests)
        // 320 pages in 154 ms.
        #expect(mutex.guests[0].latency.longest > .milliseconds(150))
        let arbitrated = try play(launch, guests: guests)
        #expect(arbitrated.launches[0].boots.allSatisfy { $0.outcome == .running })
        let unjoined = try play(LaunchGroup(profile: .ovmf1MiB, registration: nil, style: .legacy), guests: guests)
        #expect(unjoined.guests[0].latency.longest > .milliseconds(150))
        #expect(unjoined.arbiter?.launches == 0)
    }

    @Test("who declares too few pages goes behind the others; who crashes is gone with what it held")
    func misconduct() throws {
        var liar = LaunchGroup("liar", profile: .ovmf1MiB, pattern: .storm(of: 1))
        liar.misconduct.declaredPages = 10
        var honest = LaunchGroup("honest", pattern: .storm(of: 3, first: .milliseconds(1)))
        var plan = HostPlan.make(launches: [liar, honest])
        let behind = try record(of: plan)
        let lied = try #require(behind.launches[0].boots.first)
        #expect(behind.launches[1].boots.allSatisfy { $0.settled < lied.settled && $0.outcome == .running })

        honest.misconduct.crashesOneIn = 2
        honest.pattern = .evenly(every: .milliseconds(300))
        plan = HostPlan.make(guests: [GuestGroup("loop", count: 4)], launches: [honest])
        let crashing = try record(of: plan)
        let crashed = crashing.launches[0].boots.count { $0.outcome == .crashed }
        #expect((15...50).contains(crashed), "\(crashed)")
        #expect(crashing.launches[0].boots.allSatisfy { $0.outcome == .crashed || $0.outcome == .running })
        #expect(crashing.device.idleWhileEligible == .zero && crashing.guests[0].reports > 1_500)
    }

    @Test("an empty launch bucket delays launches, and loses none")
    func bucket() throws {
        let launch = LaunchGroup(pattern: .storm(of: 20))
        let record = try play(launch, duration: .seconds(5)) { plan in
            plan.configuration.launchBucketAccount = LaunchBucket(
                perSecond: .milliseconds(400), burst: .milliseconds(100))
        }
        #expect(record.launches[0].boots.allSatisfy { $0.outcome == .running })
        // Twenty launches of 77 ms at 400 ms/s.
        #expect(record.boot(perMille: 1_000) > .seconds(3))
    }

    @Test("a launch that is still under way after the grace is cut, and counts with what it had")
    func cut() throws {
        var plan = HostPlan.make(.mutex, duration: .seconds(10), guests: [GuestGroup("loop", count: 64)])
        plan.launches = [LaunchGroup()]
        plan.grace = .seconds(2)
        let record = try record(of: plan)
        let boot = try #require(record.launches[0].boots.first)
        #expect(boot.outcome == .cut && boot.latency == .seconds(12))
        #expect(record.launches[0].latencies.percentile(perMille: 500)?.isCut == true)
    }

    @Test("more launches than may be under way are turned away and counted")
    func turnedAway() throws {
        let launch = LaunchGroup(profile: .ovmf4MiB, pattern: .evenly(every: .milliseconds(10)))
        let record = try play(launch, .mutex, duration: .seconds(20))
        #expect(record.launches[0].requested == 2_000)
        #expect(record.launches[0].turnedAway > 900)
        #expect(record.launches[0].boots.count == 2_000 - record.launches[0].turnedAway)
    }

    @Test("the daemon ends a session that lasts too long: its launch has failed, others go on")
    func wallClock() throws {
        let launch = LaunchGroup(profile: .ovmf4MiB, pattern: .storm(of: 3))
        let record = try play(launch) { $0.configuration.launchWallClockMax = .milliseconds(1_500) }
        let outcomes = record.launches[0].boots.map(\.outcome)
        #expect(outcomes.first == .running && outcomes.last == .failed)
    }
}
