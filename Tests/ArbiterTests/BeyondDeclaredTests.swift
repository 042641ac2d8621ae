import Testing

@testable import Arbiter

@Suite("Beyond the declared pages")
struct BeyondDeclaredTests {
    @Test("a launch that goes on beyond what it declared does not hold up those that began meanwhile")
    func everyTime() throws {
        var now = Instant(sinceBoot: .seconds(1))
        var arbiter = Arbiter(configuration: Configuration(), virtualMachines: 4, now: now)
        var decisions: [Decision] = []
        guard let account = arbiter.openAccount() else { preconditionFailure("a new Arbiter has room") }
        let none = Registration(reservationWanted: .zero)
        let liar = try arbiter.register(none, account: account, now: now).vm
        let honest = try arbiter.register(none, account: account, now: now).vm
        _ = try arbiter.beginLaunch(LaunchPlan(pages: 1), of: liar, now: now)
        try arbiter.acquire(
            .launchStart, units: 1, maxWait: nil, request: RequestID(origin: 1, tag: 1), of: liar, now: now,
            into: &decisions)
        // It goes beyond, and to the tail, before the other begins; then it takes one turn more.
        for tag in 2...3 as ClosedRange<UInt64> { try goOn(&arbiter, liar, tag, &now, &decisions) }
        _ = try arbiter.beginLaunch(LaunchPlan(pages: 8), of: honest, now: now)
        try arbiter.acquire(
            .launchStart, units: 1, maxWait: nil, request: RequestID(origin: 2, tag: 1), of: honest, now: now,
            into: &decisions)
        try goOn(&arbiter, liar, 4, &now, &decisions)
        #expect(lastGrant(decisions)?.vm == honest)
    }

    /// The liar returns its turn and asks for eight pages more.
    private func goOn(
        _ arbiter: inout Arbiter, _ liar: VMID, _ tag: UInt64, _ now: inout Instant, _ decisions: inout [Decision]
    ) throws {
        now += .milliseconds(8)
        guard let held = lastGrant(decisions) else { preconditionFailure("nobody was granted a turn") }
        try arbiter.releaseAndAcquire(
            held.grant.turn, TurnOutcome(unitsDone: held.grant.units), .launchUpdate, units: 8, maxWait: nil,
            request: RequestID(origin: 1, tag: tag), of: liar, now: now, into: &decisions)
    }

    private func lastGrant(_ decisions: [Decision]) -> (vm: VMID, grant: Grant)? {
        for case .granted(_, let vm, let grant) in decisions.reversed() { return (vm, grant) }
        return nil
    }
}
