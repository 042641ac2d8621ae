import Arbiter
import SPModel
import Simulation

func record(of plan: HostPlan) throws -> HostRecord {
    var host = try SimulatedHost(plan)
    return host.run()
}

extension Registration {
    /// Promises nothing: what a VM of a fleet takes that is too large for reservations.
    static let surplusOnly = Registration(reservationWanted: .zero)
}

extension HostPlan {
    static func make(
        _ policy: HostPolicy = .spschedd, seed: UInt64 = 1, warmUp: Nanoseconds = .seconds(5),
        duration: Nanoseconds = .seconds(20), grace: Nanoseconds = .seconds(10), guests: [GuestGroup] = [],
        launches: [LaunchGroup] = []
    ) -> HostPlan {
        var plan = HostPlan(seed: seed, policy: policy, warmUp: warmUp, duration: duration, grace: grace)
        plan.guests = guests
        plan.launches = launches
        return plan
    }
}

extension HostRecord {
    /// Of the first group's launches.
    func boot(perMille: Int) -> Nanoseconds { launches[0].latencies.percentile(perMille: perMille)?.time ?? .zero }

    /// Everything that two runs of one plan must agree on.
    var digest: String {
        let guests = guests.map { group in
            "\(group.name) \(group.admission) \(group.latency.steps) \(group.guests) \(group.windows)"
        }
        return "\(device) \(guests) \(launches.map { "\($0.admission) \($0.boots)" }) \(arbiter.map { "\($0)" } ?? "")"
    }
}
