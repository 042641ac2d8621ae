import Arbiter
import Reporting
import Simulation

/// The same scene on the simulated host, in virtual time: what the model alone says of it.
///
/// Demonstration and simulation share the timing model, the seed and the start phases, and no more: real processes,
/// sockets and clocks are in the one, and none in the other. Where they differ, one of them is wrong.
struct SimulatedScene {
    private let plan: HostPlan

    init(_ scene: Scene) {
        plan = .demonstration(
            scene.policy.simulated, antagonists: scene.guests.count, slot: scene.slot, seed: scene.seed,
            profile: scene.profile)
    }

    /// `nil` if the model cannot play it.
    func boot() -> LatencyStatistics? {
        guard var host = try? SimulatedHost(plan) else { return nil }
        let boots = host.run().launches.flatMap(\.boots)
        return LatencyStatistics(
            boots.compactMap { boot in
                switch boot.outcome {
                case .running: Latency(boot.latency)
                case .cut: Latency(boot.latency, isCut: true)
                default: nil
                }
            })
    }
}

extension Policy {
    fileprivate var simulated: HostPolicy {
        switch self {
        case .mutex: .mutex
        case .ratelimit: .rateLimit
        case .spschedd: .spschedd
        }
    }
}
