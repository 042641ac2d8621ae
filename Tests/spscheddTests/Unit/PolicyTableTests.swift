import Arbiter
import ConfigurationFiles
import LinuxIO
import Testing
import VMMProtocol

@testable import spschedd

/// Goal: each peer has one policy, and gets no more than that permits. Method: tables and registrations made by hand.
@Suite("Policies")
struct PolicyTableTests {
    private func policy(_ name: String, _ change: (inout PolicySettings) -> Void) -> PolicySettings {
        var policy = PolicySettings(name: name)
        change(&policy)
        return policy
    }

    @Test("the user's policy counts, else the first of a group, else the one for all others")
    func precedence() throws {
        let table = try PolicyTable([
            policy("a-group") { $0.groups = ["200", "300"] }, policy("b-group") { $0.groups = ["100"] },
            policy("others") { _ in }, policy("user") { $0.users = ["7"] },
        ])
        let peers: [(PeerIdentity, String)] = [
            (PeerIdentity(uid: 7, gid: 100, pid: 1, groups: [200]), "user"),
            (PeerIdentity(uid: 8, gid: 100, pid: 1, groups: [300]), "a-group"),
            (PeerIdentity(uid: 8, gid: 100, pid: 1), "b-group"), (PeerIdentity(uid: 8, gid: 8, pid: 1), "others"),
        ]
        for (peer, name) in peers { #expect(table.policy(for: peer)?.name == name) }
        #expect(try PolicyTable([]).policy(for: peers[0].0) == nil)
    }

    @Test("a user or group that there is not is told with the setting that names it")
    func unknown() {
        for (kind, bad) in [
            ("users", policy("p") { $0.users = ["no-such-user"] }),
            ("groups", policy("p") { $0.groups = ["no-such-group"] }),
        ] {
            #expect {
                try PolicyTable([bad])
            } throws: { "\($0)".contains("change policy.p.\(kind)") }
        }
    }

    @Test("a number has one spelling", arguments: ["+0", "00", "-0", "4294967295"])
    func spelling(_ name: String) {
        for bad in [policy("p") { $0.users = [name] }, policy("p") { $0.groups = [name] }] {
            #expect {
                try PolicyTable([bad])
            } throws: { "\($0)".contains("'\(name)': create it, or change policy.p.") }
        }
    }

    @Test("what is asked beyond the policy is clipped, and nothing else changes")
    func clip() throws {
        let strict = policy("p") {
            $0.reservationMax = Rate(millihertz: 500)
            $0.limitMax = .perSecond(2)
            $0.weightMax = 50
            $0.burstMax = 2
            $0.guestWaitMax = .milliseconds(100)
            $0.retryPolicies = .once
            $0.failureModes = .closed
        }
        let asked = Registration(
            reservationWanted: .perSecond(3), limit: .perSecond(9), weight: Weight(900), burst: 9, retryPolicy: .never,
            guestWaitMax: .seconds(1))
        let granted = try strict.clip(asked, guestWaitMax: .milliseconds(500))
        #expect(
            granted
                == Registration(
                    reservationWanted: Rate(millihertz: 500), limit: .perSecond(2), weight: Weight(50), burst: 2,
                    retryPolicy: .once, guestWaitMax: .milliseconds(100)))
        #expect(strict.clip(FailureMode.open) == .closed)
        let modest = Registration(
            reservationWanted: Rate(millihertz: 100), limit: .perSecond(1), weight: Weight(1), burst: 1,
            guestWaitMax: .milliseconds(5))
        #expect(try strict.clip(modest, guestWaitMax: .milliseconds(500)) == modest)
        // Without a limit and a wait of its own it gets the policy's.
        let bare = try strict.clip(Registration(), guestWaitMax: .milliseconds(500))
        #expect(bare.limit == .perSecond(2) && bare.guestWaitMax == .milliseconds(100))
    }

    @Test("who accepts no less than the policy permits is refused, with the setting")
    func refused() {
        let strict = policy("p") { $0.reservationMax = .zero }
        let asked = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1))
        #expect {
            try strict.clip(asked, guestWaitMax: .milliseconds(500))
        } throws: { ($0 as? PolicyRefusal)?.reply.text.contains("policy.p.reservation_max allows 0/s") == true }
    }

    @Test("a policy that says nothing changes nothing, not even a mistake of the client's")
    func nothing() throws {
        let wrong = Registration(weight: Weight(99_999), burst: 1_000, guestWaitMax: .seconds(99))
        #expect(try policy("p") { _ in }.clip(wrong, guestWaitMax: .milliseconds(500)) == wrong)
    }
}
