import Arbiter
import ConfigurationFiles
import LinuxIO
import VMMProtocol

/// Connections that are turned away, with the setting that says so: by a policy, or at a cap.
extension Daemon {
    func deny(
        _ socket: borrowing SeqpacketSocket, _ account: Account, _ policy: PolicySettings, _ peer: PeerIdentity
    ) {
        turnAway(socket, ErrorReply(policy, denies: account.key))
        noteDenied(account, policy, peer)
    }

    /// Closes what would not be let in any more: other policies count.
    func turnAwayDenied() {
        connections.forEach { connection in
            guard connection.doom == nil, connection.account.vms == 0,
                let policy = policies.policy(for: connection.peer), policy.access == .denied
            else { return }
            send(.error(ErrorReply(policy, denies: connection.account.key)), tag: 0, to: connection)
            doom(connection, .denied)
            noteDenied(connection.account, policy, connection.peer)
        }
    }

    private func noteDenied(_ account: Account, _ policy: PolicySettings, _ peer: PeerIdentity) {
        let setting = policy.setting("access")
        counters.connectionsRefused += 1
        logOffence(
            .accessDenied, .warning, of: account, "A connection of \(account.key.text) was refused (\(setting))",
            [LogField(.reason, setting), LogField(.pid, peer.pid)])
    }

    func refuse(_ socket: borrowing SeqpacketSocket, _ account: Account, _ cap: AccountCap) {
        counters.connectionsRefused += 1
        turnAway(
            socket,
            ErrorReply(
                code: .init(.accountConnections),
                text: "No further connection is taken: \(cap.value) are open, the most that \(cap.setting) allows."
                    + " Close one, or have the cap raised."))
        logOffence(
            .accountLimit, .warning, of: account,
            "A connection of \(account.key.text) was refused: \(cap.value) are open (\(cap.setting))",
            [LogField(.reason, cap.setting), LogField(.count, cap.value)])
    }

    func turnAway(_ socket: borrowing SeqpacketSocket, _ reply: ErrorReply) {
        outgoing.encode(.error(reply), tag: 0)
        outgoing.withRecord { record in _ = try? socket.send(record.bytes) }
        endReadably(socket)
    }
}

extension ErrorReply {
    init(_ policy: PolicySettings, denies account: AccountKey) {
        self.init(
            code: Extensible(.accessDenied),
            text: "\(policy.setting("access")) turns \(account.text) away. Run the VMM as a user that may connect, or"
                + " have the policy changed.")
    }
}
