import Arbiter

/// What a fleet's launches take of the SP, as admission would reckon it.
public struct LaunchLoad: Sendable {
    /// SP time a second.
    public let perSecond: Nanoseconds

    public init(_ fleet: Fleet) {
        let costs = fleet.configuration.arbiter.planningCosts
        perSecond = fleet.groups.reduce(.zero) { sum, group in
            sum
                + Nanoseconds(
                    group.launches.planned(costs).count / 60_000 * group.launches.perThousandMinutes)
        }
    }
}

extension LaunchBehaviour {
    /// One launch, by planning costs.
    func planned(_ costs: PlanningCosts) -> Nanoseconds {
        costs.launchStart + costs.launchFinish
            + costs.launchPage * (Int64(profile.profile.pages) + virtualCPUs)
    }
}
