import Arbiter
import ConfigurationFiles
import LinuxIO
import VMMProtocol

/// What a registered client may ask: each message becomes one call of the Arbiter.
extension Daemon {
    func perform(_ message: ClientMessage, tag: UInt64, of vm: VMID, on connection: Connection, now: Instant) {
        let request = RequestID(origin: connection.token.packed, tag: tag)
        switch message {
        case .acquire(let acquire): self.acquire(acquire, request, of: vm, on: connection, now)
        case .release(let release): self.release(release, tag: tag, of: vm, on: connection, now)
        case .releaseAndAcquire(let release, let acquire):
            self.releaseAndAcquire(release, acquire, request, of: vm, on: connection, now)
        case .cancel(let cancelled): cancel(tag: cancelled, of: vm, on: connection, now)
        case .launchBegin(let plan): beginLaunch(plan, tag: tag, of: vm, on: connection, now)
        case .launchEnd(let session, let outcome): endLaunch(session, outcome, tag: tag, of: vm, on: connection, now)
        case .unregister:
            unregister(vm, now: now)
            send(.done, tag: tag, to: connection)
        case .resyncState(let state): resynced(state, connection, of: vm, now)
        // The daemon before admitted it and was ended before it said so.
        case .register(let register): answer(register, tag: tag, of: vm, on: connection)
        case .hello: preconditionFailure("the state machine answers it")
        }
    }

    // MARK: Turns

    private func acquire(
        _ acquire: Acquire, _ request: RequestID, of vm: VMID, on connection: Connection, _ now: Instant
    ) {
        guard open(request, on: connection) else { return }
        ask(acquire, request, of: vm, on: connection, now)
        carryOutDecisions()
    }

    private func ask(
        _ acquire: Acquire, _ request: RequestID, of vm: VMID, on connection: Connection, _ now: Instant
    ) {
        do {
            try arbiter.acquire(
                acquire.kind, units: acquire.units, maxWait: acquire.maxWait, request: request, of: vm, now: now,
                into: &decisions)
        } catch {
            fail(request.tag, error, on: connection)
        }
    }

    private func release(
        _ release: Release, tag: UInt64, of vm: VMID, on connection: Connection, _ now: Instant
    ) {
        do {
            try arbiter.release(release.turn, release.outcome, of: vm, now: now, into: &decisions)
            // The next holder first: the SP is idle.
            carryOutDecisions()
            if tag != 0 { send(.done, tag: tag, to: connection) }
        } catch {
            carryOutDecisions()
            let wasDone = error == .unknownTurn && isRepeat(tag, connection)
            send(wasDone ? .done : .error(ErrorReply(error)), tag: tag, to: connection)
        }
    }

    private func releaseAndAcquire(
        _ release: Release, _ acquire: Acquire, _ request: RequestID, of vm: VMID, on connection: Connection,
        _ now: Instant
    ) {
        guard open(request, on: connection) else { return }
        do {
            try arbiter.releaseAndAcquire(
                release.turn, release.outcome, acquire.kind, units: acquire.units, maxWait: acquire.maxWait,
                request: request, of: vm, now: now, into: &decisions)
        } catch {
            if error == .unknownTurn, isRepeat(request.tag, connection) {
                // Its first half was done before the restart.
                ask(acquire, request, of: vm, on: connection, now)
            } else {
                fail(request.tag, error, on: connection)
            }
        }
        carryOutDecisions()
    }

    private func cancel(tag: UInt64, of vm: VMID, on connection: Connection, _ now: Instant) {
        guard connection.machine.isOpen(tag: tag) else { return }
        let request = RequestID(origin: connection.token.packed, tag: tag)
        arbiter.cancel(request, of: vm, now: now, into: &decisions)
        carryOutDecisions()
    }

    private func open(_ request: RequestID, on connection: Connection) -> Bool {
        guard connection.machine.opened(tag: request.tag) else {
            send(.error(ErrorReply(.tooManyRequests)), tag: request.tag, to: connection)
            return false
        }
        return true
    }

    private func fail(_ tag: UInt64, _ error: RequestError, on connection: Connection) {
        connection.machine.replied(tag: tag)
        send(.error(ErrorReply(error)), tag: tag, to: connection)
    }

    // MARK: Launches

    private func beginLaunch(
        _ plan: LaunchPlan, tag: UInt64, of vm: VMID, on connection: Connection, _ now: Instant
    ) {
        let account = connection.account
        let cap = AccountCap(
            policies.policy(for: connection.peer), \.launchesMax, "launches_max",
            else: configuration.account.launchesMax)
        guard account.launches < cap.value || vms[vm]?.session != nil else {
            return send(.error(tooManyLaunches(cap)), tag: tag, to: connection)
        }
        do throws(LaunchRefusal) {
            let session = try arbiter.beginLaunch(plan, of: vm, now: now)
            openSession(session, of: vm)
            note(.launchBegan(pages: plan.pages), of: vms[vm].map(VMLabel.init))
            send(.launchBegun(session, chunkPages: configuration.arbiter.chunkPages), tag: tag, to: connection)
        } catch {
            switch error {
            case .busy(let busy):
                count(busy, to: vm)
                send(.busy(reply(busy, to: vm)), tag: tag, to: connection)
            case .error(.sessionAlreadyOpen) where isRepeat(tag, connection):
                guard let session = arbiter.session(of: vm) else { return }
                send(.launchBegun(session, chunkPages: configuration.arbiter.chunkPages), tag: tag, to: connection)
            case .error(let mistake): send(.error(ErrorReply(mistake)), tag: tag, to: connection)
            }
        }
    }

    private func tooManyLaunches(_ cap: AccountCap) -> ErrorReply {
        ErrorReply(
            code: Extensible(.tooManySessions),
            text: "This account has \(cap.value) launch sessions open, the most that \(cap.setting) allows."
                + " Try again when one has ended.")
    }

    private func endLaunch(
        _ session: SessionID, _ outcome: LaunchOutcome, tag: UInt64, of vm: VMID, on connection: Connection,
        _ now: Instant
    ) {
        do {
            try arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
            closeSession(of: vm, outcome == .running ? .running : .failed)
            carryOutDecisions()
            send(.done, tag: tag, to: connection)
        } catch {
            carryOutDecisions()
            let wasDone = (error == .noSession || error == .unknownSession) && isRepeat(tag, connection)
            send(wasDone ? .done : .error(ErrorReply(error)), tag: tag, to: connection)
        }
    }
}
