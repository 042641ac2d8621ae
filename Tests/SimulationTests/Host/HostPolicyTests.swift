import Arbiter
import Reporting
import SPModel
import Simulation
import Testing

/// Goal: what each policy does to launches and guests, and what spschedd owes them, on one simulated SP.
/// Method: short versions of what the experiment plays at length.
@Suite("Simulated host: policies")
struct HostPolicyTests {
    @Test("a launch beside 1,024 looping guests takes at most 1.06 times as long as alone, and no longer than P1 says")
    func launchBesideManyGuests() throws {
        func plan(_ guests: Int) -> HostPlan {
            var plan = HostPlan.make(
                duration: .seconds(10), guests: [GuestGroup("loop", count: guests, registration: .surplusOnly)],
                launches: [LaunchGroup(registration: .surplusOnly)])
            // What admission demands of a fleet this large.
            plan.configuration.floorShare = Share(percent: 40)
            return plan
        }
        let alone = try record(of: plan(0))
        let crowded = try record(of: plan(1_024))
        #expect(crowded.guests[0].admission.admitted == 1_024)
        #expect(crowded.launches[0].boots.count > 40 && crowded.launches[0].boots.allSatisfy { $0.outcome != .cut })
        #expect(crowded.boot(perMille: 990) * 100 <= alone.boot(perMille: 990) * 106)
        let commands = alone.launches[0].boots.compactMap(\.commandsTook).max() ?? .zero
        // P1 with a full bucket, and a report of the longest service that can be drawn in service at the start.
        let report = plan(0).profile.timing(of: .guestRequestReport).median * 122 / 100
        let costs = plan(0).configuration.planningCosts
        let bucket = costs.report + Share(percent: 40).of(costs.launchPage * 32)
        let bound = (commands + report + bucket + report) * 100 / 60
        #expect(crowded.launches[0].boots.compactMap(\.commandsTook).allSatisfy { $0 <= bound })
        #expect(crowded.device.idleWhileEligible == .zero)
    }

    @Test("50 launches at once: the mean is at most 0.60 of the mutex's, the last at most 1.06")
    func storm() throws {
        func boots(_ policy: HostPolicy) throws -> BootLatencies {
            let plan = HostPlan.make(
                policy, warmUp: .zero, duration: .seconds(1), launches: [LaunchGroup(pattern: .storm(of: 50))])
            let record = try record(of: plan)
            #expect(record.launches[0].boots.allSatisfy { $0.outcome == .running })
            return record.launches[0].latencies
        }
        let mutex = try boots(.mutex)
        let spschedd = try boots(.spschedd)
        #expect(mutex.count == 50 && spschedd.count == 50)
        let means = (try #require(mutex.mean), try #require(spschedd.mean))
        #expect(means.1 * 100 <= means.0 * 60, "\(means)")
        let last = (try #require(mutex.sorted.last).time, try #require(spschedd.sorted.last).time)
        #expect(last.1 * 100 <= last.0 * 106, "\(last)")
    }

    @Test("100 VMs that reserve and ask 1/s get 0.99/s each while launches use their reserve")
    func reservations() throws {
        let guests = [GuestGroup("polite", count: 100, model: .polite(.perSecond(1)))]
        // 77 ms of SP time each: 200 ms/s.
        let launches = [LaunchGroup(pattern: .evenly(every: .milliseconds(385)))]
        // A hundred periods, but for one that a window's edges may cut off.
        let record = try record(of: .make(duration: .seconds(101), guests: guests, launches: launches))
        #expect(record.guests[0].admission.reserved == .perSecond(100))
        #expect(record.guests[0].guests.allSatisfy { $0.reports >= 100 && $0.refusals == 0 })
        #expect(record.launches[0].boots.count > 250)
        #expect(record.device.idleWhileEligible == .zero)
    }

    @Test("a crowd whose round takes longer than guests sleep shares evenly beside launches; none waits for its age")
    func crowd() throws {
        // As 1,000 VMs with reports of 7.5 ms, at a seventh of the commands.
        let guests = [GuestGroup("loop", count: 150, registration: .surplusOnly)]
        var plan = HostPlan.make(
            seed: 3, warmUp: .seconds(30), duration: .seconds(200), guests: guests,
            launches: [LaunchGroup(registration: .surplusOnly)])
        plan.profile = plan.profile.scaled(reportPercent: 667)
        plan.configuration.planningCosts.report = .milliseconds(50)
        plan.configuration.floorShare = Share(percent: 40)
        let record = try record(of: plan)
        #expect(record.guests[0].admission.refused == 0)
        #expect(record.guests[0].guests.allSatisfy { $0.reports >= 10 })
        #expect((JainIndex.of(record.guests[0].guests.map(\.reports)) ?? 0) >= 0.98)
        #expect(record.guests[0].latency.longest < Limits.agedAfter)
    }

    @Test("the kernel patch: up to 64 looping guests at 1/s cost a launch little", arguments: [4, 16, 64])
    func patch(antagonists: Int) throws {
        let record = try record(of: .demonstration(.rateLimit, antagonists: antagonists, slot: .seconds(20)))
        let middle = record.boot(perMille: 500)
        #expect((.milliseconds(170)...Nanoseconds.milliseconds(270)).contains(middle), "\(middle)")
    }

    @Test("the kernel patch: 128 guests that keep to 1/s starve launches, where spschedd does not")
    func patchBreaks() throws {
        func boot(_ policy: HostPolicy) throws -> Nanoseconds {
            let model = GuestModel(pace: .schedule(every: .milliseconds(1_002)))
            let plan = HostPlan.make(
                policy, guests: [GuestGroup("one a second", count: 128, model: model)], launches: [LaunchGroup()])
            return try record(of: plan).boot(perMille: 500)
        }
        #expect(try boot(.rateLimit) > .seconds(1))
        #expect(try boot(.spschedd) < .milliseconds(240))
    }

    @Test("without any policy each page waits for every guest")
    func mutex() throws {
        let record = try record(of: .make(.mutex, guests: [GuestGroup("loop", count: 4)], launches: [LaunchGroup()]))
        // 69 commands, each behind 4 reports.
        let expected = Nanoseconds.microseconds(7_500) * 4 * 69
        #expect(record.boot(perMille: 500) > expected && record.boot(perMille: 500) < expected + .milliseconds(400))
        #expect(record.utilisationPerMille >= 999)
    }

    @Test("priority alone loses a report in each gap of a launch; the hold closes it; the floor feeds the guests")
    func ablation() throws {
        func play(_ policy: HostPolicy, _ pattern: LaunchPattern) throws -> HostRecord {
            let launch = LaunchGroup(style: .pages(8), pattern: pattern)
            return try record(of: .make(policy, guests: [GuestGroup("loop", count: 16)], launches: [launch]))
        }
        let alone = try play(.priority(hold: false, floor: false), .oneAfterAnother)
        let held = try play(.priority(hold: true, floor: false), .oneAfterAnother)
        // Nine gaps.
        #expect(alone.boot(perMille: 500) > held.boot(perMille: 500) + .milliseconds(50))
        #expect(alone.device.idleInHolds == .zero && held.device.idleInHolds > .zero)
        #expect(alone.device.idleWhileEligible == .zero && held.device.idleWhileEligible == .zero)

        let starved = try play(.priority(hold: true, floor: false), .continuous(atOnce: 4))
        let fed = try play(.priority(hold: true, floor: true), .continuous(atOnce: 4))
        // What was in service when the counted time began.
        #expect(starved.guests[0].reports <= 1)
        // A tenth of the time.
        #expect((200...290).contains(fed.guests[0].reports), "\(fed.guests[0].reports)")
    }

    @Test("a registration that does not fit is in the record, with what binds, and asks nothing")
    func admission() throws {
        let wants = Registration(reservationWanted: .perSecond(40), reservationLeast: .perSecond(40), burst: 1)
        let record = try record(of: .make(guests: [GuestGroup("large", count: 3, registration: wants)]))
        #expect(record.guests[0].admission.admitted == 2 && record.guests[0].admission.refused == 1)
        #expect(record.guests[0].admission.firstRefusal == .capacity(left: .perSecond(20)))
        #expect(record.guests[0].guests.map(\.isAdmitted) == [true, true, false])
        #expect(record.guests[0].guests[2].reports == 0)
    }
}

extension BootRecord {
    /// From its first command to its last.
    var commandsTook: Nanoseconds? {
        guard let began, let ended else { return nil }
        return ended - began
    }
}
