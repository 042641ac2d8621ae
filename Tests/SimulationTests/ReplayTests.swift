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

@Suite("Replay")
struct ReplayTests {
    /// `make replay WORLD=random SEED=7`: plays one world and tells every step.
    @Test("a world tells every step")
    func replay() throws {
        let environment = ProcessInfo.processInfo.environment
        let isAsked = environment["SPSCHEDD_SEED"] != nil
        let seed = try #require(UInt64(environment["SPSCHEDD_SEED"] ?? "1"), "SPSCHEDD_SEED is not a number")
        let name = environment["SPSCHEDD_WORLD"] ?? "random"
        let scenario = try #require(
            Scenario.named(name, seed: seed), "no world is named \(name): \(Scenario.names.joined(separator: ", "))")
        var steps = 0
        var world = World(scenario) {
            steps += 1
            if isAsked { print($0) }
        }
        try world.run()
        #expect(steps >= world.counts.steps)
    }
}
