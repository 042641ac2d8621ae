import Arbiter
import Testing

@testable import spschedd

@Suite("Unearned budget")
struct UnearnedBudgetTests {
    private static let now = Instant(sinceBoot: .seconds(1_000))

    @Test(
        "messages that earn no turn exceed the budget once, and defer the connection until it has stopped for a while")
    func flood() {
        let budget = HeldUnearnedBudget()
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

    @Test("one that goes on, but is read too seldom to exceed anything, stays deferred")
    func goesOn() {
        let budget = HeldUnearnedBudget()
        for _ in 0...DaemonLimits.unearnedMessages { _ = budget.spend(at: Self.now) }
        let later = Self.now + DaemonLimits.deferredFor
        #expect(budget.spend(at: later) == .restored)
        budget.deferAgain(at: later)
        #expect(budget.isExceeded)
        #expect(budget.spend(at: later + .seconds(1)) == .deferred)
        #expect(budget.spend(at: later + DaemonLimits.deferredFor) == .restored)
    }

    @Test("a client that is granted turns never exceeds it, however fast it is")
    func busyClient() {
        let budget = HeldUnearnedBudget()
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
        let budget = HeldUnearnedBudget()
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

    /// A VM asks every 10 µs; each batch takes `batch`. How much of ten seconds the lane got, and in how many batches.
    private func spent(batch: Nanoseconds) throws -> (time: Nanoseconds, batches: Int64) {
        var lane = try BackgroundLane()
        var now = Self.now
        var batches: Int64 = 0
        while now < Self.now + .seconds(10) {
            if lane.mayRun(at: now, lastAsked: now) {
                lane.ran(from: now, to: now + batch)
                now += batch
                batches += 1
            }
            now += .microseconds(10)
        }
        return (batch * batches, batches)
    }

    @Test("while VMs ask, long batches get their share of the time, and short ones come no more often than they may")
    func share() throws {
        let long = try spent(batch: .milliseconds(2))
        let share = Nanoseconds.seconds(10) / DaemonLimits.backgroundShare
        #expect(long.time <= share + .milliseconds(2) && long.time >= share - share / 20)
        let short = try spent(batch: .microseconds(20))
        #expect(short.batches <= 10_000_000_000 / DaemonLimits.backgroundPause.lowerBound.count + 1)
        #expect(short.batches >= 950)
    }

    @Test("a batch that lasted an hour, since the host was suspended, mutes it no longer than a tenth of a second")
    func suspended() throws {
        var lane = try BackgroundLane()
        let now = Self.now + .seconds(3_600)
        lane.ran(from: Self.now, to: now)
        let resumes = lane.mayRun(at: now + .milliseconds(100), lastAsked: now + .milliseconds(100))
        #expect(resumes)
    }

    @Test("when nobody asks it runs freely")
    func quiet() throws {
        var lane = try BackgroundLane()
        lane.ran(from: Self.now, to: Self.now + .seconds(1))
        let asked = Self.now + .seconds(1)
        let (whileAsked, whenQuiet) = (
            lane.mayRun(at: asked, lastAsked: asked),
            lane.mayRun(at: asked + DaemonLimits.quietAfter, lastAsked: asked)
        )
        #expect(!whileAsked && whenQuiet)
    }
}
