import Arbiter
import Reporting
import SPModel

/// The scene that shows the budget at work: polite VMs inside a reservation, VMs in a tight loop against a limit, and
/// VMs in a tight loop that share what is left by weight. All at once, while VMs are launched within the launch
/// reserve.
enum Budget {
    static let reserved = 64
    static let reservation = Rate.perSecond(1)
    static let limits: [Int64] = [1, 2, 4]
    /// Two VMs of each: one VM has one request at a time and spends time of its own between two, so that it can never
    /// take much more than half of the SP, whatever its weight.
    static let weights: [Int64] = [100, 200, 400]
    static let vmsPerWeight = 2
    /// How long their requests may wait. At the default of 0.5 s a VM whose share is two reports a second would be
    /// refused half of the time, and what it leaves while it sleeps goes to whoever is awake: shares would follow the
    /// sleeps.
    static let sharedWaitMax = Nanoseconds.seconds(2)
    /// A launch of 77 ms in each second stays within the default launch reserve of 200 ms.
    static let launchEvery = Nanoseconds.seconds(1)

    /// A VM against a limit of 1/s gets its reports in pairs, a sleep of 2 s between them: it takes some twenty to tell
    /// its rate to a twentieth.
    static func slot(for cell: Nanoseconds) -> Nanoseconds { max(cell, min(.seconds(20), cell * 6)) }

    static func guests(seed: UInt64) -> [GuestPlan] {
        // Nearly together: who has the SP alone for a second owes what it took beyond its share for many more.
        var phases = StartPhases(warmUp: .milliseconds(100), seed: seed &+ 1)
        func plan(_ name: String, _ registration: Registration, period: Nanoseconds? = nil) -> GuestPlan {
            GuestPlan(name: name, registration: registration, period: period, phase: phases.next())
        }
        let limited = limits.map { limit in
            plan("limit-\(limit)", limitedRegistration(.perSecond(limit)))
        }
        let weighted = weights.flatMap { weight in
            (1...vmsPerWeight).map { copy in
                let registration = Registration(
                    reservationWanted: .zero, weight: Weight(weight), guestWaitMax: sharedWaitMax)
                return plan("weight-\(weight)-\(copy)", registration)
            }
        }
        let promised = (1...reserved).map { number in
            plan(
                "reserved-\(number)", Registration(reservationWanted: reservation, reservationLeast: reservation),
                period: reservation.interval)
        }
        return limited + weighted + promised
    }

    /// Of so much weight that the limit binds, not the share.
    private static func limitedRegistration(_ limit: Rate) -> Registration {
        Registration(reservationWanted: .zero, limit: limit, weight: Weight(200), burst: 1, guestWaitMax: sharedWaitMax)
    }

    /// What each VM should have got and got.
    static func results(of record: SceneRecord) -> [BudgetResult] {
        let slot = TimeSpan(start: record.slotStart, end: record.slotEnd)
        let plans = record.scene.guests
        let got = record.reports.map { reports in rate(reports.filter(slot.contains)) }
        let claims = plans.map { plan in
            WaterFilling.Claim(
                weight: Double(plan.registration.weight.value), floor: perSecond(plan.registration.reservationWanted),
                ceiling: min(
                    plan.registration.limit.map(perSecond) ?? .infinity,
                    plan.period.map { 1 / $0.seconds } ?? .infinity))
        }
        let expected = WaterFilling.shares(of: got.reduce(0) { $0 + ($1 ?? 0) }, claims)
        return plans.indices.map { index in
            BudgetResult(
                vm: plans[index].name, limitPerSecond: plans[index].registration.limit.map(perSecond),
                reservationPerSecond: perSecond(plans[index].registration.reservationWanted),
                weight: plans[index].registration.weight.value, expectedPerSecond: expected[index],
                gotPerSecond: got[index])
        }
    }

    /// (Reports − 1) ÷ (last − first): no end of the slot cuts an interval in two. `nil` below two reports.
    static func rate(_ reports: [Instant]) -> Double? {
        guard let first = reports.min(), let last = reports.max(), first < last else { return nil }
        return Double(reports.count - 1) / (last - first).seconds
    }

    private static func perSecond(_ rate: Rate) -> Double { Double(rate.millihertz) / 1_000 }
}

/// One VM of the budget scene.
struct BudgetResult: Equatable, Sendable {
    let vm: String
    let limitPerSecond: Double?
    let reservationPerSecond: Double
    let weight: Int64
    /// What exact water-filling of all the reports that the SP delivered gives it.
    let expectedPerSecond: Double
    /// `nil` if it got fewer than two reports.
    let gotPerSecond: Double?
}
