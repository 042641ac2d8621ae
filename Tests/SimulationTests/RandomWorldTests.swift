import Arbiter
import Simulation
import Testing

/// Goal: no attack that a seed can draw breaks a rule, whatever clients, guests, operator, device and clock do.
/// Method: small worlds, each checked after every step. `make promises` plays a million; here they are few, since the
/// Arbiter checks its own invariants too, in a debug build.
@Suite("Random worlds")
struct RandomWorldTests {
    static let blocks = 16
    static let worldsInBlock = 250

    @Test("no rule is broken in four thousand random worlds", arguments: 0..<blocks)
    func noRuleIsBroken(block: Int) {
        let first = UInt64(block * Self.worldsInBlock) + 1
        for seed in first..<first + UInt64(Self.worldsInBlock) { play(.random(seed: seed)) }
    }

    @Test("nor where the operator reloads the configuration again and again", arguments: 0..<4)
    func noRuleIsBrokenByReloads(block: Int) {
        var reloads = 0
        for seed in UInt64(block * 60) + 1...UInt64(block * 60) + 60 {
            var scenario = Scenario.random(seed: seed)
            scenario.reloadEvery = .milliseconds(10)
            reloads += play(scenario).counts.reloads
        }
        #expect(reloads > 200)
    }

    @Test("a world plays the same every time")
    func sameEveryTime() throws {
        for seed in UInt64(1)...5 {
            var (first, second): ([String], [String]) = ([], [])
            var once = World(.random(seed: seed)) { first.append($0) }
            try once.run()
            var again = World(.random(seed: seed)) { second.append($0) }
            try again.run()
            #expect(first == second)
            #expect(first.count > 10)
        }
    }
}

/// Plays a world to its end, and on a violation says how to see it again.
@discardableResult
func play(_ scenario: Scenario, named name: String = "random") -> (ratios: PromiseRatios, counts: WorldCounts) {
    LastWorld.note(name, scenario.seed)
    var world = World(scenario)
    do throws(Violation) { try world.run() } catch {
        Issue.record("\(error)\n    make replay WORLD=\(name) SEED=\(scenario.seed)")
    }
    return (world.ratios, world.counts)
}
