import Testing

@testable import Arbiter

/// The formulas of section 6 of `docs/architecture.md`, against figures worked out by hand.
@Suite("Bounds of the promises")
struct PromiseBoundsTests {
    private let turns = LargestTurns(guest: .milliseconds(8), launch: .milliseconds(30), platform: .zero)

    @Test("a launch without gaps takes what the floor leaves it")
    func launch() {
        let bounds = PromiseBounds(Configuration(), turns: turns)
        let launch = LaunchDemand(work: .milliseconds(70), think: .milliseconds(3), gapsNotHeld: 0)
        // base = 70 + 3 + 30; (103 + (8 + 3) + 8) / 0.9
        #expect(bounds.launch(launch) == Nanoseconds(135_555_556))
        // base = 70 + 3 + 5; an empty bucket that owes 50 ms: (78 − 50 + 8) / 0.9 is less than the base.
        #expect(
            bounds.launch(launch, floorBucket: .milliseconds(-50), residual: .milliseconds(5)) == .milliseconds(78))
    }

    @Test("each gap that is not held costs the longest turn there is")
    func gaps() {
        let bounds = PromiseBounds(Configuration(), turns: turns)
        let plain = LaunchDemand(work: .milliseconds(60), think: .zero, gapsNotHeld: 0)
        let gapped = LaunchDemand(work: .milliseconds(60), think: .zero, gapsNotHeld: 3)
        // 3 × 30 / 0.9
        #expect(bounds.launch(gapped)! - bounds.launch(plain)! == .milliseconds(100))
    }

    @Test("one platform command may come in each second that the launch lasts")
    func platform() {
        var turns = turns
        turns.platform = .milliseconds(9)
        let bounds = PromiseBounds(Configuration(), turns: turns)
        let launch = LaunchDemand(work: .milliseconds(1_700), think: .zero, gapsNotHeld: 0)
        // (1700 + 30 + 2 × 9 + 11 + 8) / 0.9 is 1963 ms: two seconds have begun.
        #expect(bounds.launch(launch) == Nanoseconds(1_963_333_334))
    }

    @Test("where platform commands may take all that the floor leaves there is no bound")
    func unbounded() {
        var turns = turns
        turns.platform = .milliseconds(950)
        let bounds = PromiseBounds(Configuration(), turns: turns)
        #expect(bounds.launch(LaunchDemand(work: .milliseconds(70), think: .zero, gapsNotHeld: 0)) == nil)
    }

    @Test("the example of the document: 100 VMs at 1/s with a burst of 3 wait some 3.9 s")
    func reservedWait() {
        let wait = PromiseBounds(Configuration()).reservedWait(bursts: 300, unreserved: 0)
        #expect(wait == (.milliseconds(616 + 32) + Nanoseconds.microseconds(7_500) * 300) * 4 / 3)
    }

    @Test("259 VMs are served in time at the defaults, and 260 are not")
    func patience() {
        let bounds = PromiseBounds(Configuration())
        #expect(bounds.patience(virtualMachines: 259, turns: 1) <= Limits.frozenMax)
        #expect(bounds.patience(virtualMachines: 260, turns: 1) > Limits.frozenMax)
    }

    @Test("129 VMs that must not be refused start within 20 s at the defaults")
    func protectedWait() {
        let bounds = PromiseBounds(Configuration())
        #expect(bounds.patience(virtualMachines: 129, turns: 2) <= Limits.frozenMax)
        // 8 + 0.5 + 0.032 + 129 × 0.075
        #expect(bounds.protectedWait(virtualMachines: 129) == .milliseconds(18_207))
    }
}
