import Arbiter
import ConfigurationFiles
import FuzzPlay
import FuzzSupport
import VMMProtocol

@testable import spschedd

/// The daemon's desk: what is between the connections' state machines and the Arbiter, for one input.
final class Desk: Stage {
    /// A registered VM.
    struct VM {
        let id: VMID
        let token: Token
        let account: AccountID
        let admission: Admission
        var callers: [UInt64] = []
        var session: SessionID?
        var lingersUntil: Instant?
    }

    var clients: [Caller?] = Array(repeating: nil, count: 8)
    var now = Instant(sinceBoot: .seconds(1_000_000))
    private(set) var housekeepingAt: Instant
    var wake: Instant? { arbiter.nextWake }

    var arbiter: Arbiter
    var decisions: [Decision] = []
    private var isCarryingOut = false
    /// The connections that the daemon has, those of clients that have hung up among them.
    var callers: [Caller] = []
    var vms: [VM] = []
    private var accounts: [AccountID?] = [nil, nil]
    private var lastOrigin: UInt64 = 0
    private var isProbing = false
    private var isPresent = true
    private let settings = DaemonConfiguration().clients

    init() {
        housekeepingAt = now + DaemonLimits.deviceCheckEvery
        arbiter = Arbiter(configuration: Self.configuration, virtualMachines: 6, now: now)
    }

    private static let configuration: Configuration = {
        var configuration = Configuration()
        configuration.launchWallClockMax = .seconds(30)
        // Some 20 s of SP time: a whole launch's lease is then no longer than a session.
        configuration.launchPagesMax = 20_000
        return configuration
    }()

    // MARK: Coming and going

    func connect(_ place: Int, uid: UInt32, isTight: Bool) {
        hangUp(place)
        let index = Int(uid & 1)
        guard let account = accounts[index] ?? arbiter.openAccount() else { fail("no account can be opened") }
        accounts[index] = account
        lastOrigin += 1
        let caller = Caller(origin: lastOrigin, account: account, helloDue: now + settings.helloTimeout)
        callers.append(caller)
        clients[place] = caller
        keepHouse(by: caller.helloDue)
    }

    /// What it has said before is still read.
    func hangUp(_ place: Int) {
        guard let caller = clients[place] else { return }
        clients[place] = nil
        serve(caller)
        close(caller)
    }

    private func close(_ caller: Caller) {
        guard !caller.isClosed else { return }
        caller.isClosed = true
        let vm = caller.machine.ended()
        callers.removeAll { $0 === caller }
        guard let vm else { return }
        arbiter.hangUp(origin: caller.origin, of: vm, now: now, into: &decisions)
        if let index = vms.firstIndex(where: { $0.id == vm }) {
            vms[index].callers.removeAll { $0 == caller.origin }
            if vms[index].callers.isEmpty {
                vms[index].lingersUntil = now + settings.linger
                keepHouse(by: now + settings.linger)
            }
        }
        carryOut()
    }

    // MARK: The loop

    func turn() {
        repeat {
            if let wake = arbiter.nextWake, wake <= now {
                arbiter.advance(to: now, into: &decisions)
                carryOut()
            }
            if housekeepingAt <= now { keepHouse() }
        } while serveEach()
    }

    /// One message of each. Returns whether there was any.
    private func serveEach() -> Bool {
        var hasServed = false
        for caller in callers {
            guard !caller.isDoomed, let record = caller.nextRecord() else { continue }
            receive(record, from: caller)
            hasServed = true
        }
        for caller in callers where caller.isDoomed { close(caller) }
        return hasServed
    }

    private func serve(_ caller: Caller) {
        while !caller.isDoomed, let record = caller.nextRecord() { receive(record, from: caller) }
    }

    private func keepHouse(by instant: Instant) { housekeepingAt = min(housekeepingAt, instant) }

    private func keepHouse() {
        housekeepingAt = now + DaemonLimits.deviceCheckEvery
        for caller in callers where !caller.machine.isIntroduced {
            if caller.helloDue > now {
                keepHouse(by: caller.helloDue)
            } else if caller.machine.helloTimedOut() != nil {
                close(caller)
            }
        }
        for vm in vms {
            guard let until = vm.lingersUntil else { continue }
            if until > now { keepHouse(by: until) } else { unregister(vm.id) }
        }
    }

    func unregister(_ id: VMID) {
        arbiter.unregister(id, now: now, into: &decisions)
        carryOut()
        guard let index = vms.firstIndex(where: { $0.id == id }) else { fail("an unknown VM unregisters") }
        for origin in vms[index].callers { caller(origin)?.machine.unregistered() }
        vms.remove(at: index)
    }

    // MARK: Decisions

    func caller(_ origin: UInt64) -> Caller? { callers.first { $0.origin == origin } }

    func carryOut() {
        guard !isCarryingOut else { return }
        isCarryingOut = true
        var index = 0
        while index < decisions.count {
            carryOut(decisions[index])
            index += 1
        }
        decisions.removeAll(keepingCapacity: true)
        isCarryingOut = false
    }

    private func carryOut(_ decision: Decision) {
        switch decision {
        case .granted(let request, let vm, let grant): reply(.granted(Granted(grant)), to: request, of: vm)
        case .busy(let request, let vm, let busy): reply(.busy(Self.words(busy)), to: request, of: vm)
        case .failed(let request, let vm, let error): reply(.error(ErrorReply(error)), to: request, of: vm)
        case .queued(let request, _, let notice):
            guard let caller = caller(request.origin) else { return }
            expect(caller.machine.isOpen(tag: request.tag), "QUEUED for what does not wait")
            send(.queued(Queued(notice)), tag: request.tag, to: caller)
        case .revoked(let turn, _, let origin):
            if let caller = caller(origin) { send(.revoked(turn, Extensible(.leaseEnded)), tag: 0, to: caller) }
        case .probe:
            expect(!isProbing, "a probe is asked for while one is under way")
            isProbing = true
        case .deviceState(let state):
            for caller in callers where caller.machine.isIntroduced {
                send(.deviceState(Extensible(state), text: state.sentence), tag: 0, to: caller)
            }
        case .sessionEnded(let session, let vm, _):
            guard let index = vms.firstIndex(where: { $0.id == vm }) else { return }
            expect(vms[index].session == session, "the end of a session that is not open")
            vms[index].session = nil
        }
    }

    /// A connection that is there waits for each reply that is decided: what it no longer waits for was taken back.
    private func reply(_ message: DaemonMessage, to request: RequestID, of vm: VMID) {
        guard let caller = caller(request.origin) else { return }
        expect(caller.machine.replied(tag: request.tag), "\(message.type.name) for what does not wait")
        send(message, tag: request.tag, to: caller)
    }

    static func words(_ busy: Busy) -> BusyReply {
        BusyReply(retryAfter: busy.retryAfter, reason: Extensible(busy.reason), text: "busy")
    }

    func send(_ message: DaemonMessage, tag: UInt64, to caller: Caller) {
        guard !caller.isDoomed else { return }
        outgoing.encode(message, tag: tag)
        outgoing.withRecord { caller.book.hear($0, hasDescriptor: false) }
    }

    // MARK: The device and the operator

    func answerProbe(_ answer: ProbeAnswer) {
        guard isProbing else { return }
        isProbing = false
        let outcome: ProbeOutcome =
            switch answer {
            case .answered, .firmwareRefused: .returned
            case .dead: .dead
            case .failed, .notAttempted, .lost: .unavailable
            }
        arbiter.probeReturned(outcome, now: now, into: &decisions)
        carryOut()
    }

    func togglePresence() {
        isPresent.toggle()
        lookAtDevice()
    }

    func lookAtDevice() {
        arbiter.devicePresence(isPresent: isPresent, now: now, into: &decisions)
        carryOut()
    }

    func drain() {
        arbiter.drain(now: now, into: &decisions)
        carryOut()
    }

    func resume() {
        arbiter.resume(now: now, into: &decisions)
        carryOut()
    }

    // MARK: Checks

    /// What is said is heard at once.
    func hear(_ place: Int, atMost count: Int) {}

    func hearAll() {
        turn()
        for case let caller? in clients where !caller.isClosed {
            caller.book.checkAnswered { caller.machine.isOpen(tag: $0) }
        }
    }

    func check() {
        if let violation = arbiter.violatedInvariant() { fail("the Arbiter: \(violation)") }
        expect(decisions.isEmpty, "decisions are left that nobody carried out")
    }

    func checkBooks() {
        let overview = arbiter.overview(now: now)
        expect(overview.virtualMachines == vms.count, "the Arbiter knows other VMs than were registered")
        expect(
            overview.sessionsOpen == vms.count { $0.session != nil }, "the Arbiter knows other sessions than were begun"
        )
    }

    func checkFigures() {
        for report in arbiter.reports() {
            expect(vms.contains { $0.id == report.vm }, "the Arbiter reports of a VM that is gone")
        }
    }

    func settle() {
        resume()
        for _ in 0..<400 {
            hearAll()
            if clients.allSatisfy({ $0?.isClosed ?? true || $0!.book.isAnswered }) { return }
            now = max(now, min(arbiter.nextWake ?? .distantFuture, now + .seconds(1)))
            turn()
            answerProbe(.answered)
            check()
        }
        fail("a request is never answered")
    }

    func end() {
        for place in clients.indices { hangUp(place) }
        expect(callers.isEmpty, "\(callers.count) connections are left")
        // A VM lingers; a proxy's turn outlives its connection, by a lease of at most a session's time.
        for _ in 0..<16 where !vms.isEmpty || hasTurn {
            now = now + settings.linger
            turn()
            answerProbe(.answered)
            check()
        }
        checkBooks()
        let overview = arbiter.overview(now: now)
        expect(vms.isEmpty, "\(vms.count) VMs are left")
        expect(overview.turn == nil && overview.turnBeside == nil, "a turn is left")
        expect(overview.sessionsOpen == 0, "a launch session is left")
        expect(overview.guestsWaiting == 0 && overview.launchesWaiting == 0, "a request is left")
        expect(overview.reserved == .zero, "a reservation is left")
    }

    private var hasTurn: Bool {
        let overview = arbiter.overview(now: now)
        return overview.turn != nil || overview.turnBeside != nil
    }
}

/// Room for the reply being written, for the whole run.
// SAFETY: one thread plays the daemon, one reply at a time: hearing one says nothing.
private nonisolated(unsafe) var outgoing = MessageBuffer()
