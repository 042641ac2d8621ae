import Arbiter
import Testing
import VMMProtocol

@testable import spschedd

/// Goal: a lease ends a turn that is held for too long, and none that was released in time.
/// Method: a daemon whose loop is run by hand, and whose clock moves on while it is not run.
@Suite("Overdue turns")
struct OverdueTurnTests {
    /// One client has the turn, and another asks for it.
    private func contended() throws -> (RestartedDaemon, RestartClient, RestartClient, Granted) {
        let report = ClientMessage.acquire(Acquire(.report))
        let scene = try RestartedDaemon()
        let (first, second) = (try scene.enter("first"), try scene.enter("second"))
        first.send(report, tag: 3)
        try scene.turn()
        let grant = try first.grant(to: 3)
        second.send(report, tag: 3)
        return (scene, first, second, grant)
    }

    @Test("where nobody can probe the device, an overdue turn passes on")
    func passesOn() throws {
        let (scene, first, second, grant) = try contended()
        try scene.pass(grant.lease + .milliseconds(1))
        _ = try second.grant(to: 3)
        #expect(first.isRevoked(grant.turn))
    }

    @Test("a daemon that was not run until after the lease hears the release before it passes the turn on")
    func releasedMeanwhile() throws {
        let (scene, first, second, grant) = try contended()
        first.send(.release(Release(grant.turn)), tag: 4)
        scene.hand.now = scene.hand.now + grant.lease + .milliseconds(1)
        try scene.turn()
        #expect(first.reply(to: 4) == .done)
        #expect(!first.isRevoked(grant.turn))
        _ = try second.grant(to: 3)
    }
}

extension RestartClient {
    fileprivate func isRevoked(_ turn: TurnID) -> Bool {
        hear().contains { if case .revoked(turn, _) = $0.message { true } else { false } }
    }
}
