import Testing

@testable import Arbiter

/// Goal: an Arbiter restored from its saved state decides as the original does, from any moment on; and a state that
/// was damaged is refused, not believed.
/// Method: seeded random calls as in `AnySequenceTests`; at random moments the Arbiter is replaced by its restored self
/// in one of two hosts that are driven alike.
@Suite("Saved state")
struct StateTests {
    @Test("a restored Arbiter makes the same decisions from there on", arguments: 1...40 as ClosedRange<UInt64>)
    func sameDecisions(seed: UInt64) throws {
        var caller = RandomCaller(seed: seed)
        var twin = RandomCaller(seed: seed)
        var moments = SeededRandom(seed &+ 1_000)
        var restorations = 0
        for step in 0..<400 {
            caller.act()
            twin.act()
            try #require(caller.log == twin.log, "step \(step) after \(restorations) restorations")
            #expect(caller.savedState == twin.savedState, "step \(step)")
            guard moments.below(4) == 0 else { continue }
            try twin.restore()
            restorations += 1
            try #require(caller.savedState == twin.savedState, "the restored state differs at step \(step)")
        }
        #expect(caller.granted > 20, "too little happened")
        #expect(restorations > 50)
    }

    @Test("a state that was cut anywhere is refused")
    func cut() throws {
        let words = try Self.busyState()
        for count in 0..<words.count {
            #expect(throws: StateProblem.self) { _ = try Arbiter.restored(from: Array(words[..<count])).nextWake }
        }
    }

    @Test("any changed word is refused, or changes the state: it never traps")
    func changed() throws {
        let words = try Self.busyState()
        for index in words.indices {
            var isNoticed = false
            for value in [0, 1, 7, UInt64.max, UInt64(1) << 62, words[index] ^ 1] where value != words[index] {
                var changed = words
                changed[index] = value
                let saved = (try? Restored(changed))?.saved
                if saved != words { isNoticed = true }
            }
            #expect(isNoticed, "word \(index) means nothing")
        }
    }

    @Test("another version is named")
    func version() throws {
        var words = try Self.busyState()
        words[0] = 9
        #expect(throws: StateProblem(word: 0, message: "is of version 9, and this program knows version 2")) {
            _ = try Arbiter.restored(from: words).nextWake
        }
    }

    @Test("under another configuration it goes on with what it has promised")
    func otherConfiguration() throws {
        var caller = RandomCaller(seed: 3)
        for _ in 0..<300 { caller.act() }
        var configuration = Configuration()
        configuration.floorShare = Share(percent: 50)
        configuration.planningCosts.report = .milliseconds(20)
        configuration.capacityPerSecond = .milliseconds(300)
        try caller.restore(configuration)
        for _ in 0..<300 { caller.act() }
        #expect(caller.configuration == configuration)
    }

    private static func busyState() throws -> [UInt64] {
        var caller = RandomCaller(seed: 11)
        for _ in 0..<150 { caller.act() }
        return caller.savedState
    }

    private struct Restored: ~Copyable {
        var saved: [UInt64] = []

        init(_ words: [UInt64]) throws {
            let arbiter = try Arbiter.restored(from: words)
            arbiter.save(into: &saved)
        }
    }
}
