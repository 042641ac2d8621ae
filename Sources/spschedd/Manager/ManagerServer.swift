import Glibc
import LinuxIO
import ManagerProtocol

/// The operators' side: few connections, in the background, and at most one step for one of them in a batch.
final class ManagerServer {
    private let version: String
    /// Whose members are answered, beside root and the daemon's own user.
    private let group: UInt32?
    private var connections: [ManagerConnection?] = Array(repeating: nil, count: DaemonLimits.managerConnections)
    private var lastServed = 0

    init(version: String, group: UInt32?) {
        self.version = version
        self.group = group
    }

    /// Whether `step` may have something to do now.
    private(set) var hasWork = false
    private var hasNews = false
    /// Connections, and those of them that watch.
    var count: Int { connections.count { $0 != nil } }
    private(set) var watchers = 0

    func accept(_ daemon: Daemon) {
        do {
            guard let descriptor = try daemon.listeners.manager.accept() else { return }
            try admit(descriptor, daemon)
        } catch {
            daemon.pauseAccepting("\(error)")
        }
    }

    private func admit(_ descriptor: consuming FileDescriptor, _ daemon: Daemon) throws(SystemError) {
        let peer = try descriptor.peerIdentity()
        guard isAllowed(peer) else {
            let reason = "uid \(peer.uid) is neither root nor in the group of the socket"
            return refuse(descriptor, .permissionDenied, reason, peer, daemon)
        }
        let places = OperatorPlaces(users: connections.compactMap { $0?.peer.uid })
        if let reason = places.refusal(of: peer.uid, isOwn: Self.isOwn(peer.uid)) {
            let error = VarlinkError.tooManyOperators("No further operator is served: \(reason).")
            return refuse(descriptor, error, reason, peer, daemon)
        }
        guard let slot = connections.firstIndex(where: { $0 == nil }) else { return }
        descriptor.refuseDescriptors()
        let connection = ManagerConnection(descriptor: descriptor, peer: peer, version: version)
        try daemon.background.poll.add(connection.number, for: .readable, token: token(slot))
        connections[slot] = connection
    }

    private func isAllowed(_ peer: PeerIdentity) -> Bool {
        Self.isOwn(peer.uid) || group.map(peer.isMember) == true
    }

    /// Whether it is root, or the user that the daemon runs as.
    static func isOwn(_ uid: UInt32) -> Bool { uid == 0 || uid == geteuid() }

    private func refuse(
        _ descriptor: borrowing FileDescriptor, _ error: VarlinkError, _ reason: String, _ peer: PeerIdentity,
        _ daemon: Daemon
    ) {
        // SAFETY: the bytes are only read, during the call. A peer that cannot be told finds the connection closed.
        _ = error.message.withUnsafeBytes {
            Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        daemon.log(
            .managerRefused, .warning, "An operator's connection was refused: \(reason)",
            [LogField(.reason, reason), LogField(.uid, peer.uid)])
    }

    private func token(_ slot: Int) -> EventToken {
        EventToken(slot: Member.managerSlots + UInt32(slot), generation: 0)
    }

    /// A connection may be served: remembers it for `step`.
    func noteReady(_ event: EventPoll.Event) {
        let slot = Int(event.token.slot) - Int(Member.managerSlots)
        guard connections.indices.contains(slot) else { return }
        connections[slot]?.isReady = true
        hasWork = true
    }

    /// A platform command or a reload has come to its end: whoever waits for one may be answered.
    func outcomeIsThere() {
        for connection in connections where connection?.platformTicket != nil || connection?.reloadTicket != nil {
            connection?.isReady = true
            hasWork = true
        }
    }

    /// Whoever watches may be told.
    func somethingChanged() {
        hasNews = true
        hasWork = true
    }

    /// Serves one connection, the next in turn that has work.
    func step(_ daemon: Daemon) {
        guard hasWork else { return }
        if hasNews {
            hasNews = false
            for connection in connections where connection?.isWatching == true { connection?.isReady = true }
        }
        serveNext(daemon)
        watchers = connections.count { $0?.isWatching == true }
        if watchers == 0 { daemon.changes.forget() }
        hasWork = connections.contains { $0?.hasWork == true }
    }

    private func serveNext(_ daemon: Daemon) {
        for offset in 1...connections.count {
            let slot = (lastServed + offset) % connections.count
            guard let connection = connections[slot], connection.hasWork else { continue }
            lastServed = slot
            let outcome = connection.step(daemon)
            if case .goesOn(let interest) = outcome {
                try? daemon.background.poll.modify(connection.number, for: interest, token: token(slot))
            } else {
                connections[slot] = nil
                connection.platformTicket.map(daemon.abandonPlatform)
                connection.reloadTicket.map(daemon.abandonReload)
            }
            if case .broken(let reason) = outcome {
                daemon.log(
                    .managerRefused, .notice, "An operator's connection was closed: \(reason)",
                    [LogField(.reason, reason), LogField(.uid, connection.peer.uid)])
            }
            return
        }
    }
}
