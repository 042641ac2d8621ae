import Arbiter
import ConfigurationFiles
import Glibc
import LinuxIO
import VMMProtocol

/// Connections: they come, are read from, written to, and go.
extension Daemon {
    // MARK: Coming

    func acceptClients() {
        for _ in 0..<DaemonLimits.acceptsPerBatch {
            do {
                guard let descriptor = try listeners.vmm.accept() else { return }
                admit(consume descriptor)
            } catch {
                return pauseAccepting("\(error)")
            }
        }
    }

    private func admit(_ descriptor: consuming FileDescriptor) {
        guard let peer = try? descriptor.peerIdentity() else { return }
        admit(descriptor, from: peer)
    }

    /// Takes a connected, nonblocking socket as a client's.
    func admit(_ descriptor: consuming FileDescriptor, from peer: PeerIdentity) {
        descriptor.refuseDescriptors()
        let socket = SeqpacketSocket(adopting: descriptor)
        guard let account = account(of: peer) else {
            turnAway(socket, ErrorReply(code: .init(.accountConnections), text: Self.tooManyAccounts))
            log(
                .resources, .warning, "A client of uid \(peer.uid) was turned away: \(Self.tooManyAccounts)",
                [LogField(.reason, Self.tooManyAccounts), LogField(.uid, peer.uid)])
            return
        }
        if account.arrivals.spend(at: now) == .exceeded {
            logOffence(
                .flood, .warning, of: account,
                "\(account.key.text) opened \(DaemonLimits.unearnedConnections) connections in a second that earned no turn",
                [LogField(.count, DaemonLimits.unearnedConnections), LogField(.pid, peer.pid)])
        }
        let policy = policies.policy(for: peer)
        // Those whose VMs run may come to resume them, and for nothing else.
        if let policy, policy.access == .denied, account.vms == 0 { return deny(socket, account, policy, peer) }
        let cap = AccountCap(policy, \.connectionsMax, "connections_max", else: configuration.account.connectionsMax)
        guard account.connections < cap.value else { return refuse(socket, account, cap) }
        guard let token = connections.nextToken else {
            return refuse(
                socket, account, AccountCap(Int64(connections.capacity), setting: "clients.connections_max"))
        }
        let helloDue = clock.now() + configuration.clients.helloTimeout
        let number = socket.descriptor.number
        do {
            try background.poll.add(number, for: .readable, token: token)
        } catch {
            return pauseAccepting("\(error)")
        }
        account.connections += 1
        connections.insert(
            Connection(token: token, socket: socket, peer: peer, account: account, helloDue: helloDue))
        keepHouse(by: helloDue)
    }

    private static var tooManyAccounts: String {
        "\(Limits.accounts) accounts are in use, and there is room for no more"
    }

    private func account(of peer: PeerIdentity) -> Account? {
        let key = AccountKey(peer)
        if let known = accounts[key] { return known }
        let now = clock.now()
        var id = arbiter.openAccount(now: now)
        if id == nil {
            accounts.sweep({ $0.isUnused }, { closeAccount($0, now) })
            id = arbiter.openAccount(now: now)
        }
        guard let id else { return nil }
        let account = Account(key: key, id: id)
        accounts.insert(account)
        arbiter.keep(account)
        return account
    }

    // MARK: Out of descriptors

    func pauseAccepting(_ reason: String) {
        let until = clock.now() + DaemonLimits.acceptPause
        acceptPausedUntil = until
        keepHouse(by: until)
        try? background.poll.remove(listeners.vmm.descriptor.number)
        try? background.poll.remove(listeners.manager.descriptor.number)
        log(
            .resources, .error, "No connections are accepted for a moment: \(reason)", [LogField(.reason, reason)])
    }

    func resumeAccepting(_ now: Instant) {
        guard let until = acceptPausedUntil else { return }
        guard until <= now else { return keepHouse(by: until) }
        acceptPausedUntil = nil
        try? watchListeners()
    }

    // MARK: Reading

    /// Reads one message. If there are more, the kernel says so again: each client has its turn, and none is read to
    /// learn that nothing is left.
    func serve(_ connection: Connection, _ readiness: Readiness) {
        if readiness.contains(.writable) { sendUnsent(connection) }
        guard readiness != .writable, connection.doom == nil else { return }
        do {
            // SAFETY: the inbox is read out before anything is received again.
            switch try connection.socket.receive(into: UnsafeMutableRawBufferPointer(inbox.bytes)) {
            case .message(let count, let isTruncated): read(count, isTruncated, from: connection)
            case .wouldBlock: return
            case .hungUp: return doom(connection, .hungUp)
            }
        } catch {
            return doom(connection, .socketError("\(error)"))
        }
    }

    private func read(_ count: Int, _ isTruncated: Bool, from connection: Connection) {
        if !isNowFresh { now = clock.now() }
        isNowFresh = false
        if connection.isPrompt { lastAsked = now }
        watchBudget(of: connection)
        var tag: UInt64 = 0
        let action: ConnectionStateMachine.OnMessage
        do throws(WireError) {
            if isTruncated { throw .recordTooLong }
            // SAFETY: the kernel has written `count` bytes, at most the buffer's size; nothing writes there before it
            // is read.
            let record = UnsafeBufferPointer(rebasing: inbox.bytes[..<count]).span
            let header = try Header(decoding: record)
            tag = header.tag
            let message = try ClientMessage(decoding: record, header: header)
            failpoint?.pass(.afterReceive)
            if connection.resync != nil, isToComeAgain(connection, tag: tag, message.type) { return }
            if case .register = message, isRepeat(tag, connection), let vm = connection.machine.vm {
                action = .perform(message, vm)
            } else {
                action = connection.machine.received(message, tag: tag, now: now)
            }
        } catch {
            action = connection.machine.receivedMalformed(error, now: now)
        }
        act(action, tag: tag, on: connection, now: now)
        if connection.resync != nil { repeated(tag, connection) }
    }

    private func act(
        _ action: ConnectionStateMachine.OnMessage, tag: UInt64, on connection: Connection, now: Instant
    ) {
        switch action {
        case .perform(let message, let vm): perform(message, tag: tag, of: vm, on: connection, now: now)
        case .welcome(let features):
            connection.client = connection.machine.client
            let welcome = Welcome(
                features: features, epoch: epoch, chunkPages: configuration.arbiter.chunkPages,
                deviceState: Extensible(deviceState))
            send(.welcome(welcome), tag: tag, to: connection)
            if arbiter.isDraining { send(.draining(true), tag: 0, to: connection) }
        case .register(let register): admit(register, tag: tag, on: connection, now: now)
        case .refuse(let reply):
            send(.error(reply), tag: tag, to: connection)
            nameMistake(reply, connection, now)
        case .refuseAndClose(let reply, let reason):
            send(.error(reply), tag: tag, to: connection)
            doom(connection, reason)
        case .ignore: break
        }
    }

    private func nameMistake(_ reply: ErrorReply, _ connection: Connection, _ now: Instant) {
        logOffence(
            .protocolError, .notice, of: connection.account,
            "A mistake of \(connection.name): \(reply.text)",
            connection.fields + [LogField(.code, reply.code.rawValue)])
    }

    /// Moves a connection that floods behind the others, but not while it holds a turn, and back when it has stopped.
    private func watchBudget(of connection: Connection) {
        switch connection.budget.spend(at: now) {
        case .within: if connection.isPrompt, !connection.machine.isServing { serve(connection, promptly: false) }
        case .deferred: deferUnlessHolding(connection)
        case .restored:
            // With more to read it has not stopped: it was only read too seldom to exceed anything.
            if connection.socket.hasMore() { return connection.budget.deferAgain(at: now) }
            serve(connection, promptly: connection.machine.isServing)
        case .exceeded:
            deferUnlessHolding(connection)
            logOffence(
                .flood, .warning, of: connection.account,
                "\(connection.name) sent \(DaemonLimits.unearnedMessages) messages in a second that earned no turn:"
                    + " it is served after the others until it stops",
                connection.fields + [LogField(.count, DaemonLimits.unearnedMessages)])
        }
    }

    private func deferUnlessHolding(_ connection: Connection) {
        guard connection.isPrompt, !arbiter.holdsTurn(origin: connection.token.packed) else { return }
        serve(connection, promptly: false)
    }

    // MARK: Writing

    func send(_ message: DaemonMessage, tag: UInt64, to connection: Connection) {
        guard connection.doom == nil else { return }
        outgoing.encode(message, tag: tag)
        settle(outgoing.withRecord { connection.deliver($0) }, connection)
    }

    /// False: it was not sent, because the kernel takes no descriptor more.
    func send(
        _ message: DaemonMessage, tag: UInt64, passing descriptor: borrowing FileDescriptor, to connection: Connection
    ) -> Bool {
        guard connection.doom == nil else { return true }
        outgoing.encode(message, tag: tag)
        let delivery = outgoing.withRecord { connection.deliver($0, passing: descriptor) }
        settle(delivery, connection)
        return delivery != .notPassed
    }

    private func sendUnsent(_ connection: Connection) {
        guard connection.doom == nil else { return }
        // SAFETY: nothing that was received is being read now: the inbox is free to copy through.
        let delivery = connection.deliverUnsent(scratch: UnsafeMutableRawBufferPointer(inbox.bytes))
        if delivery == .sent { watch(connection, for: .readable) }
        settle(delivery, connection)
    }

    private func settle(_ delivery: Connection.Delivery, _ connection: Connection) {
        switch delivery {
        case .sent: failpoint?.pass(.afterSend)
        case .notPassed: break
        case .queued: watch(connection, for: [.readable, .writable])
        case .failed(let reason): doom(connection, reason)
        }
    }

    private func watch(_ connection: Connection, for interest: Readiness) {
        let number = connection.socket.descriptor.number
        do {
            if connection.isPrompt {
                try poll.modify(number, for: interest, token: connection.token)
            } else {
                try background.poll.modify(number, for: interest, token: connection.token)
            }
        } catch {
            doom(connection, .socketError("\(error)"))
        }
    }

    /// Sends the same to every client that has said HELLO.
    func announce(_ message: DaemonMessage) {
        connections.forEach { if $0.machine.isIntroduced { send(message, tag: 0, to: $0) } }
    }

    // MARK: Going

    func doom(_ connection: Connection, _ reason: DisconnectReason) {
        guard connection.doom(reason) else { return }
        if connection.isPrompt { doomed.append(connection.token) } else { doomedInBackground.append(connection.token) }
    }

    func closeSilent(_ now: Instant) {
        connections.forEach { connection in
            guard connection.doom == nil, !connection.machine.isIntroduced else { return }
            guard connection.helloDue <= now else { return keepHouse(by: connection.helloDue) }
            if let reason = connection.machine.helloTimedOut() { doom(connection, reason) }
        }
    }

    /// Closes some of what was doomed. A turn that is freed thereby is granted to the next, whose connection may fail
    /// in turn.
    func closeDoomed() {
        for _ in 0..<DaemonLimits.closesPerTurn {
            guard let token = doomed.popLast() else { return }
            close(token)
        }
    }

    func closeDoomedInBackground() {
        for _ in 0..<DaemonLimits.backgroundBatch {
            guard let token = doomedInBackground.popLast() else { return }
            close(token)
        }
    }

    private func close(_ token: EventToken) {
        guard let connection = connections[token], let reason = connection.doom else { return }
        close(connection, reason)
    }

    private func close(_ connection: Connection, _ reason: DisconnectReason) {
        if reason.isOffence {
            counters.protocolErrors += 1
            logOffence(
                .disconnected, .notice, of: connection.account,
                "Disconnected \(connection.name): \(reason.sentence)",
                connection.fields + [LogField(.reason, reason.sentence)])
        }
        let vm = connection.machine.ended()
        shut(connection)
        if connection.resync?.isAwaited == true { noLongerAwaited() }
        connections.remove(connection)
        connection.account.connections -= 1
        guard let vm else { return }
        let now = clock.now()
        arbiter.hangUp(origin: connection.token.packed, of: vm, now: now, into: &decisions)
        detach(connection.token, from: vm, now)
        carryOutDecisions()
    }

    private func shut(_ connection: Connection) {
        let number = connection.socket.descriptor.number
        if connection.isPrompt { try? poll.remove(number) } else { try? background.poll.remove(number) }
        endReadably(connection.socket)
        unstore(connection)
    }

    /// Ends a connection so that the peer can still read what it was sent: with unread messages on our side the kernel
    /// would give it an error first.
    func endReadably(_ socket: borrowing SeqpacketSocket) {
        socket.shutDown()
        for _ in 0..<DaemonLimits.recordsDiscarded {
            // SAFETY: what lands in the inbox is discarded unread.
            guard case .message = try? socket.receive(into: UnsafeMutableRawBufferPointer(inbox.bytes)) else { break }
        }
    }
}

extension Connection {
    /// The client in a record's fields; its account's come by themselves where a budget is charged.
    var fields: [LogField] {
        var fields = [LogField(.pid, peer.pid)]
        if !client.isEmpty { fields.append(LogField(.client, client)) }
        return fields
    }
}
