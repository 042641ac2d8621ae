import Arbiter
import Testing
import VMMProtocol

@testable import spschedd

/// Goal: who watches, and the journal, hear at once that launches suspend what was reserved, and when that is over.
/// Method: a daemon whose clock is moved by hand, and one launch that takes longer than the reserve allows.
@Suite("Suspended reservations")
struct SuspensionTests {
    @Test("are told when launches have used up their reserve, and when they have drained")
    func told() throws {
        let scene = try RestartedDaemon()
        let launcher = try scene.enter("launcher")
        launcher.send(.launchBegin(LaunchPlan(pages: 1_000, isWhole: true)), tag: 3)
        try scene.turn()
        guard case .launchBegun(let session, _)? = launcher.reply(to: 3) else {
            Issue.record("no launch")
            return
        }
        launcher.send(.acquire(Acquire(.wholeLaunch, units: 1_000)), tag: 4)
        try scene.turn()
        let grant = try launcher.grant(to: 4)
        try scene.pass(.milliseconds(900))
        launcher.send(.release(Release(grant.turn)), tag: 5)
        launcher.send(.launchEnd(session, .running), tag: 6)
        try scene.turn()
        #expect(scene.daemon.saidReservationsAreSuspended)
        // 104 ms above the burst, at 200 ms a second.
        try scene.pass(.seconds(2))
        #expect(!scene.daemon.saidReservationsAreSuspended)
    }
}
