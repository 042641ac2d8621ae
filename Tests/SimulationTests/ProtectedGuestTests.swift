import Arbiter
import SPModel
import Simulation
import Testing

/// Goal: guests that must not be refused are not frozen for longer than a guest bears. Method: the attacks of decision
/// 16, on a simulated host.
@Suite("Guests that must not be refused")
struct ProtectedGuestTests {
    @Test("a small weight does not keep one waiting under launches without end")
    func weight() throws {
        var plan = HostPlan(duration: .seconds(120))
        plan.guests = [
            GuestGroup("heavy", count: 60, registration: Registration(reservationWanted: .zero)),
            GuestGroup(
                "light", count: 1,
                registration: Registration(reservationWanted: .zero, weight: Weight(1), retryPolicy: .never),
                model: .old),
        ]
        plan.launches = [
            LaunchGroup(
                profile: .ovmf4MiB, registration: Registration(reservationWanted: .zero),
                pattern: .continuous(atOnce: 2))
        ]
        let bucket = LaunchBucket(perSecond: .seconds(1), burst: .seconds(600))
        plan.configuration.launchBucketVM = bucket
        plan.configuration.launchBucketAccount = bucket
        let record = try play(plan)
        let light = record.guests[1].guests[0]
        #expect(light.reports > 3 && light.refusals == 0)
        #expect(light.longestFrozen <= Limits.frozenMax, "\(light.longestFrozen)")
    }

    /// 80 leave room for the VM that is being launched; of 300 only as many are admitted as can be served in time.
    @Test("reservations beside them do not keep them waiting, and keep their rate", arguments: [80, 300])
    func reservations(count: Int) throws {
        var plan = HostPlan(duration: .seconds(120))
        plan.configuration.floorShare = Share(percent: 40)
        plan.configuration.guestWaitReserved = .seconds(8)
        plan.guests = [
            GuestGroup(
                "reserved", count: 60,
                registration: Registration(reservationWanted: Rate(millihertz: 1_600), burst: 1),
                model: .polite(Rate(millihertz: 1_600))),
            GuestGroup(
                "old", count: count, registration: Registration(reservationWanted: .zero, retryPolicy: .never),
                model: .old),
        ]
        plan.launches = [
            LaunchGroup(
                registration: Registration(reservationWanted: .zero), pattern: .evenly(every: .milliseconds(400)))
        ]
        let record = try play(plan)
        let old = record.guests[1]
        #expect(old.admission.admitted >= 80 && old.admission.admitted < 100)
        #expect(record.launches[0].requested > 250)
        #expect(count > 80 || record.launches[0].admission.refused == 0)
        #expect(old.refusals == 0)
        let longest = old.guests.map(\.longestFrozen).max() ?? .zero
        #expect(longest <= Limits.frozenMax, "\(longest)")
        let least = record.guests[0].guests.map(\.reports).min() ?? 0
        #expect(least >= 120 * 158 / 100, "\(least) reports in 120 s")
    }

    private func play(_ plan: HostPlan) throws -> HostRecord {
        var host = try SimulatedHost(plan)
        return host.run(step: .seconds(60))
    }
}
