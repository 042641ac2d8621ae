import Simulation
import Testing

/// Goal: the checker can speak. Method: an Arbiter that is wrong on purpose; each mutation must be caught, and by a
/// rule that names what is wrong.
@Suite("Canaries")
struct CanaryTests {
    @Test("a mutated Arbiter is caught", arguments: Mutation.allCases)
    func isCaught(mutation: Mutation) {
        var said: Set<String> = []
        for seed in UInt64(1)...400 {
            var scenario = scenario(for: mutation, seed: seed)
            scenario.mutation = mutation
            var world = World(scenario)
            do throws(Violation) { try world.run() } catch {
                if mutation.caughtBy.contains(error.rule) { return }
                said.insert("\(error)")
            }
        }
        Issue.record("\(mutation) was not caught; what was said: \(said.sorted())")
    }

    /// Worlds in which what was mutated matters.
    private func scenario(for mutation: Mutation, seed: UInt64) -> Scenario {
        switch mutation {
        case .ignoresTheFloor: .promise(.storm, seed: seed)
        case .ignoresTheHold: .promise(.launch, seed: seed)
        default: .random(seed: seed)
        }
    }
}
