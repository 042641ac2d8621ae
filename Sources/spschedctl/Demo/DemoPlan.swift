import Arbiter
import SPModel

/// Everything the demo plays, in order.
struct DemoPlan: Sendable {
    var policies: [Policy]
    var antagonists: [Int]
    var profile: LaunchProfile
    var slot: Nanoseconds
    var hasLaunches: Bool
    var seed: UInt64

    /// One scene for each policy and number of antagonists, policies together.
    var cells: [Scene] {
        policies.flatMap { policy in antagonists.map { cell(policy, antagonists: $0) } }
    }

    private func cell(_ policy: Policy, antagonists: Int) -> Scene {
        let warmUp = antagonists == 0 ? DemoLimits.warmUpAlone : min(DemoLimits.warmUpMax, slot / 2)
        return Scene(
            title: "\(policy.rawValue), \(antagonists) antagonists", policy: policy,
            guests: GuestPlan.antagonists(antagonists, warmUp: warmUp, seed: seed),
            launches: hasLaunches ? .oneAfterAnother : .none, profile: profile,
            warmUp: warmUp, slot: slot, seed: seed)
    }

    /// The budget at work, wherever spschedd is among the policies.
    var budget: Scene? {
        guard policies.contains(.spschedd) else { return nil }
        let slot = Budget.slot(for: slot)
        let warmUp = min(DemoLimits.warmUpMax, slot / 4)
        return Scene(
            title: "the budget: reservations, limits and weights at once", policy: .spschedd,
            guests: Budget.guests(seed: seed),
            launches: hasLaunches ? .every(Budget.launchEvery) : .none,
            profile: profile, warmUp: warmUp, slot: slot, seed: seed)
    }
}
