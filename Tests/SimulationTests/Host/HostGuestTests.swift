import Arbiter
import SPModel
import Simulation
import Testing

/// Goal: guests ask when their pace says, and take refusals as their drivers do. Method: one kind at a time.
@Suite("Simulated host: guests")
struct HostGuestTests {
    /// A limit that refuses all but one request in ten seconds.
    private static let strict = HostPolicy.rateLimit(interval: .seconds(10), burst: 1)

    private func play(
        _ model: GuestModel, _ policy: HostPolicy, count: Int = 1, duration: Nanoseconds = .seconds(100),
        registration: Registration? = .surplusOnly
    ) throws -> GuestGroupRecord {
        var plan = HostPlan.make(policy, warmUp: .zero, duration: duration)
        plan.guests = [GuestGroup("guest", count: count, registration: registration, model: model, phase: .aligned)]
        plan.recording.keepsReportTimes = true
        return try record(of: plan).guests[0]
    }

    @Test("GCP's limit of 10 in 10 s: ten fast reports, then a pause of 10.2 s, 0.97/s in all")
    func publishedLimiter() throws {
        let policy = HostPolicy.rateLimit(interval: .seconds(10), burst: 10)
        let guest = try play(.tightLoop, policy, duration: .seconds(1_024)).guests[0]
        let pauses = zip(guest.reportTimes, guest.reportTimes.dropFirst()).map { $1 - $0 }
        #expect(pauses.prefix(9).allSatisfy { $0 < .milliseconds(20) })
        #expect(pauses[9] > .milliseconds(10_200) && pauses[9] < .milliseconds(10_300))
        let perThousandSeconds = guest.reports * 1_000 / 1_024
        #expect((960...990).contains(perThousandSeconds), "\(perThousandSeconds)")
        #expect(guest.keyLost == nil)
    }

    @Test("Linux sleeps 2.046 s after BUSY, and loses its key after a minute of it")
    func linux() throws {
        let sleeper = try play(.tightLoop, Self.strict)
        // Five sleeps reach beyond ten seconds.
        #expect(sleeper.guests[0].longestPause > .milliseconds(10_230))
        #expect(sleeper.guests[0].refusals == sleeper.guests[0].reports * 5 - 1 && sleeper.keysLost == 0)
        let closed = try play(.tightLoop, .rateLimit(interval: .seconds(3_600), burst: 1))
        let lost = try #require(closed.guests[0].keyLost)
        #expect(lost - closed.guests[0].reportTimes[0] > .seconds(60))
        #expect(closed.guests[0].reports == 1 && closed.guests[0].refusals == 31)
    }

    @Test("SVSM sends it again once, a guest before 2023 not at all, a hostile one for ever")
    func otherDrivers() throws {
        let svsm = try play(.svsm, Self.strict).guests[0]
        #expect(svsm.reports == 1 && svsm.refusals == 2 && svsm.keyLost != nil)
        let old = try play(.old, Self.strict).guests[0]
        #expect(old.reports == 1 && old.refusals == 1 && old.keyLost != nil)
        let hostile = try play(.hostile, Self.strict).guests[0]
        #expect(hostile.reports == 10 && hostile.refusals > 200_000 && hostile.keyLost == nil)
    }

    @Test("spschedd never refuses an old guest, nor SVSM twice, in a crowd of looping ones")
    func protected() throws {
        var plan = HostPlan.make(duration: .seconds(30))
        plan.guests = [
            GuestGroup("loop", count: 60, registration: .surplusOnly),
            GuestGroup(
                "svsm", count: 10, registration: Registration(reservationWanted: .zero, retryPolicy: .once),
                model: .svsm),
            GuestGroup(
                "old", count: 10, registration: Registration(reservationWanted: .zero, retryPolicy: .never),
                model: .old),
        ]
        let record = try record(of: plan)
        #expect(record.guests.map(\.admission.refused) == [0, 0, 0])
        #expect(record.guests.map(\.keysLost) == [0, 0, 0])
        #expect(record.guests[0].refusals > 0 && record.guests[1].refusals > 0 && record.guests[2].refusals == 0)
        #expect(record.guests.allSatisfy { $0.guests.allSatisfy { $0.reports > 0 } })
    }

    @Test("a schedule is absolute; a period begins anew when it was late; bursts come together")
    func paces() throws {
        let schedule = try play(GuestModel(pace: .schedule(every: .seconds(2))), .mutex).guests[0]
        #expect(schedule.reports == 50 && schedule.longestPause < .milliseconds(2_010))
        // 200 of them, and each always has one report waiting.
        let late = try play(GuestModel(pace: .schedule(every: .seconds(1))), .mutex, count: 200)
        #expect(late.guests.allSatisfy { (60...70).contains($0.reports) })
        let bursts = try play(GuestModel(pace: .bursts(of: 5, every: .seconds(10))), .mutex).guests[0]
        #expect(bursts.reports == 50)
        #expect(bursts.reportTimes[4] - bursts.reportTimes[0] < .milliseconds(50))
        #expect(bursts.reportTimes[5] - bursts.reportTimes[0] > .milliseconds(9_980))
    }

    @Test("a pair's first message takes a token, or a turn, and never reaches the SP")
    func lengthProbes() throws {
        let model = GuestModel(pace: .schedule(every: .seconds(5)), probesLength: true)
        let limited = try play(model, .rateLimit(interval: .seconds(1), burst: 1)).guests[0]
        #expect(limited.reports == 20 && limited.refusals == 20)
        let arbitrated = try play(model, .spschedd).guests[0]
        #expect(arbitrated.reports == 20 && arbitrated.refusals == 0)
        #expect(arbitrated.longestLatency < .milliseconds(10))
    }

    @Test("guests that never join go straight to the SP: each command of a launch waits for one request of each")
    func unjoined() throws {
        func play(_ unjoined: Int, joined: Int = 0) throws -> HostRecord {
            let guests = [
                GuestGroup("unjoined", count: unjoined, registration: nil), GuestGroup("joined", count: joined),
            ]
            return try record(of: .make(guests: guests, launches: [LaunchGroup()]))
        }
        let beside = try play(2)
        #expect(beside.guests[0].refusals == 0 && beside.arbiter?.guestTurns == 0)
        let difference = try beside.boot(perMille: 500) - play(0).boot(perMille: 500)
        // 69 commands of a launch, two reports each.
        let expected = Nanoseconds.microseconds(7_500) * 2 * 69
        #expect(difference > expected * 95 / 100 && difference < expected * 105 / 100, "\(difference)")
        // Joined guests see it in their reports: leases allow for it, and none of them comes in while a turn goes on.
        // Where nobody saw it, turns are revoked while their commands run, at nobody's cost.
        let crowded = try play(2, joined: 16)
        #expect(beside.device.revoked > 0 && crowded.device.revoked == 0)
        let floor = crowded.boot(perMille: 500) - beside.boot(perMille: 500)
        #expect(floor < difference / 5, "\(floor)")
    }

    @Test("random phases are the demonstration's; aligned guests begin together; others evenly spaced")
    func phases() throws {
        func firstReports(_ phase: StartPhase) throws -> [Instant] {
            var plan = HostPlan.make(.mutex, seed: 7, warmUp: .seconds(3))
            plan.guests = [
                GuestGroup("g", count: 3, model: GuestModel(pace: .schedule(every: .seconds(3_600))), phase: phase)
            ]
            plan.recording.keepsReportTimes = true
            return try record(of: plan).guests[0].guests.map { $0.reportTimes[0] }
        }
        var expected = StartPhases(warmUp: .seconds(3), seed: 7)
        let aligned = try firstReports(.aligned)
        let base = aligned[0] - .milliseconds(7)
        for time in try firstReports(.random()) {
            let late = time - base - expected.next()
            #expect(late > -.milliseconds(2) && late < .milliseconds(30))
        }
        #expect(aligned[2] - aligned[0] < .milliseconds(20))
        let spread = try firstReports(.spread(over: .seconds(3)))
        #expect(spread[1] - spread[0] > .milliseconds(990) && spread[2] - spread[1] < .milliseconds(1_010))
    }
}
