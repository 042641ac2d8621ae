import Arbiter
import Simulation
import Testing

/// Goal: the promises of `docs/architecture.md`, section 6, hold in worlds that press against their bounds.
/// Method: a few long worlds each, every one checked against all promises at once. More seeds: `make replay`.
@Suite("Promises")
struct PromiseTests {
    @Test("P1: the first launch in line ends within its bound, whatever guests do", arguments: 0..<4)
    func launchBound(block: UInt64) {
        var launches = 0
        for seed in block * 6 + 1...block * 6 + 6 {
            launches += play(.promise(.launch, seed: seed), named: "launch").ratios.observations(.launch)
        }
        #expect(launches > 3)
    }

    @Test("P3: guests get their floor under launches without end", arguments: 0..<4)
    func floor(block: UInt64) {
        for seed in block * 8 + 1...block * 8 + 8 {
            let (ratios, _) = play(.promise(.storm, seed: seed), named: "storm")
            #expect(ratios.observations(.floor) > 0)
        }
    }

    @Test("P5: guests in tight loops are served by weight", arguments: [UInt64(1), 9])
    func fairness(seed: UInt64) {
        let (ratios, _) = play(.promise(.fairness, seed: seed), named: "fairness")
        #expect(ratios.observations(.fairness) > 100)
    }

    @Test("P6: a request inside its reservation is served within the bound", arguments: UInt64(1)...4)
    func reservation(seed: UInt64) {
        let (ratios, _) = play(.promise(.reservation, seed: seed), named: "reservation")
        #expect(ratios.observations(.reservation) > 50)
    }

    @Test("P7: no guest loses its key or freezes, with as many VMs as admission lets in", arguments: UInt64(1)...3)
    func patience(seed: UInt64) {
        let (ratios, counts) = play(.promise(.patience, seed: seed), named: "patience")
        #expect(ratios.observations(.patience) > 100)
        #expect(counts.refusals > 0)
    }
}
