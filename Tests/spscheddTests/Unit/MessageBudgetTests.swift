import Arbiter
import Testing

@testable import spschedd

@Suite("Message budget")
struct MessageBudgetTests {
    private static let now = Instant(sinceBoot: .seconds(1_000))

    @Test(
        "messages that earn no turn exceed the budget once, and defer the connection until it has stopped for a while")
    func flood() {
        let budget = HeldMessageBudget()
        for _ in 0..<DaemonLimits.unearnedMessages { #expect(budget.spend(at: Self.now) == .within) }
        #expect(budget.spend(at: Self.now) == .exceeded)
        #expect(budget.isExceeded)
        for _ in 0..<1_000 { #expect(budget.spend(at: Self.now) == .deferred) }
        let last = Self.now + .milliseconds(900)
        #expect(budget.spend(at: last) == .deferred)
        // Few messages meanwhile keep it deferred, and do not prolong that.
        for second in 1...4 { #expect(budget.spend(at: last + .seconds(Int64(second))) == .deferred) }
        #expect(budget.spend(at: last + DaemonLimits.deferredFor) == .restored)
        #expect(!budget.isExceeded)
        #expect(budget.spend(at: last + DaemonLimits.deferredFor) == .within)
    }

    @Test("a client that is granted turns never exceeds it, however fast it is")
    func busyClient() {
        let budget = HeldMessageBudget()
        for turn in 0..<100_000 {
            let now = Self.now + .microseconds(Int64(5 * turn))
            // ACQUIRE, GRANTED, RELEASE.
            #expect(budget.spend(at: now) == .within)
            budget.earn()
            #expect(budget.spend(at: now) == .within)
        }
    }

    @Test("a client that keeps to the budget in each window stays within it for ever")
    func steady() {
        let budget = HeldMessageBudget()
        for second in 0..<20 as Range<Int64> {
            for _ in 0..<DaemonLimits.unearnedMessages {
                #expect(budget.spend(at: Self.now + .seconds(second)) == .within)
            }
        }
    }
}

@Suite("Background lane")
struct BackgroundLaneTests {
    private static let now = Instant(sinceBoot: .seconds(1_000))

    @Test("while VMs ask it gets its share of the time, and all of it when nobody does")
    func share() throws {
        var lane = try BackgroundLane()
        var spent = Nanoseconds.zero
        var now = Self.now
        // A VM asks every 10 µs; each batch takes 100 µs.
        for _ in 0..<100_000 {
            if lane.mayRun(at: now, lastAsked: now) {
                lane.ran(from: now, to: now + .microseconds(100))
                now += .microseconds(100)
                spent += .microseconds(100)
            }
            now += .microseconds(10)
        }
        let share = (now - Self.now) / DaemonLimits.backgroundShare
        #expect(spent <= share + .microseconds(200))
        #expect(spent >= share - share / 10)
        lane.ran(from: now, to: now + .seconds(1))
        let asked = now + .seconds(1)
        let (whileAsked, whenQuiet) = (
            lane.mayRun(at: asked, lastAsked: asked),
            lane.mayRun(at: asked + DaemonLimits.quietAfter, lastAsked: asked)
        )
        #expect(!whileAsked && whenQuiet)
    }
}
