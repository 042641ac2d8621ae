import Simulation
import Testing

@testable import Arbiter

/// Goal: a violation is printed in the notation of these tests, and means there what it meant. Method: small worlds,
/// told as timelines, are played by the tests' own player: every VM must see what it saw in its world.
@Suite("Worlds as timelines")
struct WorldTimelineTests {
    @Test("a world that can be told exactly plays the same as a timeline")
    func playsTheSame() throws {
        var played = 0
        for number in stride(from: UInt64(0), to: SmallWorlds.count(virtualMachines: 2), by: 7) where played < 200 {
            let scenario = try #require(SmallWorlds.scenario(number: number))
            let told = TimelineText(of: scenario)
            guard told.isExact else { continue }
            played += 1
            let configuration = scenario.configuration
            try play(told.timeline, configuration)
        }
        #expect(played >= 20)
    }

    @Test("what a timeline cannot say is called a sketch")
    func sketch() throws {
        let told = TimelineText(of: .random(seed: 5))
        #expect(!told.isExact)
        #expect(told.text.hasPrefix("a sketch: "))
    }
}
