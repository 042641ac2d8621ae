import Arbiter
import ConfigurationFiles
import LinuxIO
import StateFormat
import VMMProtocol

/// After a restart: the daemon before left its state and its clients' connections with the service manager.
///
/// ```
///   take up the state ─► adopt the connections ─► hang-ups found ─► RESYNC to each ─► RESYNC_STATE of each ─► grants
///                        what cannot be adopted is closed: its client resumes by token        or 100 ms
/// ```
extension Daemon {
    // MARK: Adopting

    /// Takes up accounts, VMs and connections. Nothing is sent yet.
    func takeUp(_ restored: RestoredState, _ stored: StoredDescriptors) {
        for (id, key) in restored.accounts { accounts.insert(Account(key: key, id: id)) }
        for saved in restored.virtualMachines { takeUp(saved) }
        var kept: [EventToken: SavedConnection] = [:]
        for connection in restored.connections { kept[connection.token] = connection }
        for (token, number) in stored.connections {
            let descriptor = FileDescriptor(adopting: number)
            guard let client = kept.removeValue(forKey: token)?.client else {
                turnAway(descriptor, token)
                continue
            }
            adopt(descriptor, token, client)
        }
        // The service manager has not had these: their clients find the connection closed and come again.
        for (token, saved) in kept where saved.client != nil { keeper?.forget(token) }
        let until = now + configuration.clients.linger
        for saved in restored.virtualMachines {
            vms.update(saved.vm) { if $0.connections.isEmpty { $0.lingersUntil = until } }
        }
        keepHouse(by: until)
        deviceState = arbiter.overview(now: now).device
    }

    private func takeUp(_ saved: SavedVM) {
        guard let account = accounts[saved.account] else { return }
        let admission = Admission(
            vm: saved.vm, reservation: saved.reservation, guestWaitReserved: saved.guestWaitReserved,
            guestWaitMax: saved.guestWaitMax)
        account.vms += 1
        vms.insert(
            VMRecord(
                vm: saved.vm, token: saved.token, uuid: saved.uuid, name: saved.name, account: account,
                failureMode: saved.failureMode, registration: saved.registration, admission: admission,
                registeredAt: saved.registeredAt))
        if let session = arbiter.session(of: saved.vm) { openSession(session, of: saved.vm) }
    }

    private func adopt(
        _ descriptor: consuming FileDescriptor, _ token: EventToken,
        _ client: (vm: VMID, features: Features, name: Name64)
    ) {
        guard let peer = try? descriptor.peerIdentity(), let record = vms[client.vm],
            record.account.key == AccountKey(peer), connections.isFree(token)
        else { return turnAway(descriptor, token) }
        let connection = Connection(
            token: token, socket: SeqpacketSocket(adopting: descriptor), peer: peer, account: record.account,
            helloDue: now)
        connection.machine = ConnectionStateMachine(serving: client.vm, features: client.features, client: client.name)
        connection.client = client.name
        connection.isStored = true
        connection.isPrompt = true
        connection.resync = ConnectionResync()
        do {
            try poll.add(connection.socket.descriptor.number, for: .readable, token: token)
        } catch {
            return turnAway(connection.socket.descriptor, token)
        }
        record.account.connections += 1
        connections.insert(adopted: connection)
        vms.update(client.vm) { $0.connections.append(token) }
        storedConnections += 1
        counters.adopted += 1
    }

    /// Closes a connection that nothing is known of. Its client connects anew.
    private func turnAway(_ descriptor: borrowing FileDescriptor, _ token: EventToken) {
        descriptor.shutDown()
        notifier.remove(token.storedName)
        keeper?.forget(token)
    }

    /// Without a state nobody knows whose the connections are.
    func turnAway(_ stored: StoredDescriptors) {
        for (token, number) in stored.connections { turnAway(FileDescriptor(adopting: number), token) }
    }

    // MARK: Asking

    /// Asks every client what it waits for. Grants begin when all have answered, or patience ends.
    func beginResync() {
        guard arbiter.isPaused else { return }
        resyncEnds = now + DaemonLimits.resyncPatience
        connections.forEach { connection in
            guard connection.resync != nil else { return }
            resyncsAwaited += 1
            send(.resync(epoch: epoch), tag: 0, to: connection)
            // It may have changed meanwhile, or its news not have been sent.
            send(deviceStateMessage, tag: 0, to: connection)
            send(.draining(arbiter.isDraining), tag: 0, to: connection)
        }
        if resyncsAwaited == 0 { endResync() }
    }

    /// A client says what it holds and what it waits for; the latter it asks again at once.
    func resynced(_ state: ResyncState, _ connection: Connection, of vm: VMID, _ now: Instant) {
        guard state.epoch == epoch, connection.resync?.isAwaited == true else { return }
        connection.resync = ConnectionResync(repeats: state.tags)
        let origin = connection.token.packed
        let turns = arbiter.turns(ofOrigin: origin)
        for turn in turns where turn != state.heldTurn {
            // A client names one turn: with two, the other may be held as well, and ends with its lease.
            if turns.count > 1, state.heldTurn != nil { break }
            if let tag = keeper?.grants.tag(of: turn), state.tags.contains(tag) {
                takeBack(turn, of: vm, now)
            } else {
                releaseUnheld(turn, of: vm, now)
            }
        }
        if state.tags.isEmpty { connection.resync = nil }
        noLongerAwaited()
    }

    /// A grant that was written down and never sent, as its client says: one that lies gets that turn for nothing
    /// (docs/security.md, section 5).
    private func takeBack(_ turn: TurnID, of vm: VMID, _ now: Instant) {
        if arbiter.isPaused {
            arbiter.takeBack(turn, of: vm, now: now, into: &decisions)
        } else {
            try? arbiter.release(turn, TurnOutcome(unitsDone: 0), of: vm, now: now, into: &decisions)
        }
        carryOutDecisions()
    }

    /// A turn whose release was read and not written down. Should it be released by RELEASE_AND_ACQUIRE, that comes
    /// again and then only acquires.
    private func releaseUnheld(_ turn: TurnID, of vm: VMID, _ now: Instant) {
        try? arbiter.release(turn, TurnOutcome(unitsDone: 1), of: vm, now: now, into: &decisions)
        carryOutDecisions()
    }

    /// A connection has answered, or is gone.
    func noLongerAwaited() {
        guard resyncsAwaited > 0 else { return }
        resyncsAwaited -= 1
        if resyncsAwaited == 0 { endResyncSoon() }
    }

    /// What the last client asks again comes right behind its answer: it takes part in the first choice.
    private func endResyncSoon() {
        guard let ends = resyncEnds else { return }
        resyncEnds = min(ends, now + DaemonLimits.resyncSettles)
    }

    func endResyncIfDue(_ now: Instant) {
        guard let resyncEnds, resyncEnds <= now else { return }
        endResync()
    }

    private func endResync() {
        resyncEnds = nil
        if let trace { vms.forEach { trace.learn($0.vm, "\($0.name)") } }
        arbiter.resumeGrants(now: clock.now(), into: &decisions, recorder: trace)
        carryOutDecisions()
    }

    // MARK: What comes again

    /// Whether the message is to be left alone: until a client has said what it waits for, what has a tag comes again.
    func isToComeAgain(_ connection: Connection, tag: UInt64, _ type: MessageType) -> Bool {
        connection.resync?.isAwaited == true && tag != 0 && type != .resyncState
    }

    /// Whether the request is one that the daemon before may have done and not answered.
    func isRepeat(_ tag: UInt64, _ connection: Connection) -> Bool {
        connection.resync?.repeats.contains(tag) == true
    }

    /// A message was acted on: what stood before it in the order of tags comes no more, nor does itself. After the last
    /// that came again, the restart is over for this connection.
    func repeated(_ tag: UInt64, _ connection: Connection) {
        guard connection.resync?.isAwaited == false else { return }
        connection.resync?.repeats.removeAll { $0 <= tag }
        if connection.resync?.repeats.isEmpty == true { connection.resync = nil }
    }

    /// A VM that comes again by its token has let go of what it held on connections that are gone.
    func releaseOrphans(of vm: VMID, _ now: Instant) {
        for origin in arbiter.origins(ofTurnsOf: vm) where connections[EventToken(packed: origin)] == nil {
            arbiter.hangUp(origin: origin, of: vm, now: now, into: &decisions)
        }
        carryOutDecisions()
    }
}

/// Where a connection that was adopted stands.
struct ConnectionResync {
    /// RESYNC_STATE has not come.
    var isAwaited: Bool
    /// The tags that come again, each once.
    var repeats: [UInt64]

    init() {
        isAwaited = true
        repeats = []
    }

    init(repeats: [UInt64]) {
        isAwaited = false
        self.repeats = repeats
    }
}

// MARK: - Keeping

extension Daemon {
    /// Has the connection of a registered VM kept, if its client can be asked after a restart.
    func store(_ connection: Connection, of vm: VMID) {
        guard let keeper, connection.machine.features.contains(.resync) else { return }
        guard storedConnections < DaemonLimits.storedConnections else { return }
        keeper.keep(connection, of: vm)
        keeper.commit()
        guard notifier.store(connection.socket.descriptor, as: connection.token.storedName) else {
            storeLater.append(connection.token)
            return keepHouse(by: now + DaemonLimits.housekeepingEvery)
        }
        connection.isStored = true
        storedConnections += 1
    }

    func storeWhatWaits() {
        let waiting = storeLater
        storeLater = []
        for token in waiting {
            guard let connection = connections[token], !connection.isStored, let vm = connection.machine.vm else {
                continue
            }
            store(connection, of: vm)
        }
    }

    /// The connection is closed, or has no VM any more.
    func unstore(_ connection: Connection) {
        guard let keeper else { return }
        keeper.forget(connection.token)
        keeper.commit()
        guard connection.isStored else { return }
        connection.isStored = false
        storedConnections -= 1
        notifier.remove(connection.token.storedName)
    }
}

extension Daemon {
    /// Where a service manager keeps descriptors, the state that the daemon before left there, or a new one.
    static func openState(
        _ configuration: DaemonConfiguration, _ connections: Int, _ stored: StoredDescriptors, epoch: UInt64,
        _ now: Instant, _ logger: Logger, _ notifier: Notifier
    ) throws -> StateKeeper.Opened? {
        guard notifier.isHeard else { return nil }
        let layout = StateLayout(
            virtualMachines: Int(configuration.clients.vmsMax), accounts: Limits.accounts, connections: connections)
        return try StateKeeper.open(
            stored, layout, configuration.arbiter, epoch: epoch, now: now, notifier: notifier)
    }

    /// Takes up what there is; the state then says what is true now.
    func goOn(_ restored: RestoredState?, _ stored: StoredDescriptors) {
        for state in stored.setAside { FileDescriptor(adopting: state.number).close() }
        for state in stored.unknown {
            notifier.remove(state.name)
            FileDescriptor(adopting: state.number).close()
        }
        unknownDescriptors = UnknownDescriptors(names: stored.unknown.map(\.name))
        guard let keeper else { return }
        if let restored {
            takeUp(restored, stored)
        } else {
            turnAway(stored)
        }
        keepWhatIsTakenUp(isNew: restored == nil)
        keeper.isComplete(notifier)
    }

    /// The journal of a restart.
    func sayWhatWasTakenUp() {
        for problem in stateProblems {
            log(.stateUnusable, .warning, problem.sentence, [LogField(.reason, problem.reason)])
        }
        if let unknown = unknownDescriptors {
            log(.descriptorsUnknown, .warning, unknown.sentence, [LogField(.count, unknown.count)])
        }
        guard arbiter.isPaused else { return }
        log(
            .restarted, .notice,
            "Went on with \(vms.count) VMs and \(counters.adopted) connections of the daemon before",
            [LogField(.count, counters.adopted)])
    }

    /// In other memory than it was read from, everything must be written; in the same, what has changed since.
    private func keepWhatIsTakenUp(isNew: Bool) {
        guard let keeper else { return }
        arbiter.keepAll(isNew: isNew)
        guard keeper.replaces != nil else { return }
        accounts.forEach { arbiter.keep($0) }
        vms.forEach { keeper.keep($0) }
        connections.forEach { connection in
            if let vm = connection.machine.vm { keeper.keep(connection, of: vm) }
        }
        keeper.commit()
    }

    func closeAccount(_ account: AccountID, _ now: Instant) -> Bool {
        guard arbiter.closeAccount(account, now: now) else { return false }
        keeper?.forget(account)
        return true
    }
}
