import Foundation
import Simulation
import Testing

/// The world that is being played, in a file: a broken precondition ends the process, and nothing else is left to tell
/// which seed it was. Several are played at once: one file for each thread.
enum LastWorld {
    static let folder = URL(fileURLWithPath: ".build/worlds")
    static let isKept = (try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)) != nil

    static func note(_ name: String, _ seed: UInt64) {
        guard isKept else { return }
        let file = folder.appendingPathComponent("thread-\(pthread_self())")
        try? Data("\(name) \(seed)\n".utf8).write(to: file)
    }
}

/// Goal: a violation can be seen again, and read. Method: worlds by their names, a mutant, and its smallest world.
@Suite("Replay")
struct ReplayTests {
    @Test("every kind of world has a name, and a name gives the same world every time", arguments: Scenario.names)
    func names(kind: String) throws {
        let name = WorldName(kind: kind, seed: 3, changes: [5])
        let (first, again) = (try #require(name.scenario), try #require(name.scenario))
        #expect("\(first)" == "\(again)")
        #expect(name.description == "WORLD=\(kind) SEED=3 CHANGES=5")
    }

    @Test("what is no world has no scenario")
    func noWorld() {
        #expect(WorldName(kind: "no such kind", seed: 1).scenario == nil)
        #expect(WorldName(kind: "small", seed: SmallWorlds.count(virtualMachines: 3)).scenario == nil)
    }

    @Test("a world tells every step")
    func tells() throws {
        var steps = 0
        var world = World(.random(seed: 1)) { _ in steps += 1 }
        try world.run()
        #expect(steps >= world.counts.steps)
    }

    @Test("a violation is shrunk to the few VMs that it needs, and breaks the same rule")
    func shrinks() throws {
        let scenarios = (UInt64(1)...40).map { seed in
            var scenario = Scenario.promise(.storm, seed: seed)
            scenario.mutation = .ignoresTheFloor
            return scenario
        }
        let scenario = try #require(scenarios.first { violation(of: $0) != nil })
        let rule = try #require(violation(of: scenario)?.rule)
        let shrunk = Shrinker(scenario, breaking: rule).shrunk()
        #expect(violation(of: shrunk)?.rule == rule)
        #expect(shrunk.tenants.count <= 3)
        #expect(shrunk.tenants.count <= scenario.tenants.count)
        #expect(TimelineText(of: shrunk).text.contains("\(rule.rawValue) at"))
    }

    private func violation(of scenario: Scenario) -> Violation? {
        var world = World(scenario)
        do throws(Violation) { try world.run() } catch { return error }
        return nil
    }
}
