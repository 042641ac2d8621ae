import Arbiter
import FuzzSupport
import LinuxIO

@testable import spschedd

extension World {
    /// What holds after every step.
    func check() {
        noteProbe()
        if let violation = daemon.arbiter.violatedInvariant() { fail("the Arbiter: \(violation)") }
        expect(daemon.decisions.isEmpty, "decisions are left that nobody carried out")
    }

    /// What the daemon keeps twice agrees.
    func checkBooks() {
        var connections: [AccountKey: Int] = [:]
        var attached: [EventToken: VMID] = [:]
        var (vms, launches): ([AccountKey: Int], [AccountKey: Int]) = ([:], [:])
        daemon.connections.forEach { connections[$0.account.key, default: 0] += 1 }
        daemon.vms.forEach { record in
            vms[record.account.key, default: 0] += 1
            launches[record.account.key, default: 0] += record.session == nil ? 0 : 1
            expect(record.connections.isEmpty == (record.lingersUntil != nil), "\(record.title) lingers, or should")
            for token in record.connections {
                expect(
                    attached.updateValue(record.vm, forKey: token) == nil, "one connection has two VMs, or one twice")
                expect(daemon.connections[token] != nil, "\(record.title) has a connection that is gone")
            }
        }
        daemon.accounts.forEach { account in
            expect(account.connections == connections[account.key, default: 0], "connections of \(account.key.text)")
            expect(account.vms == vms[account.key, default: 0], "VMs of \(account.key.text)")
            expect(account.launches == launches[account.key, default: 0], "launches of \(account.key.text)")
        }
        let overview = daemon.arbiter.overview(now: hand.now)
        expect(overview.virtualMachines == daemon.vms.count, "the Arbiter knows other VMs than the daemon")
        expect(
            overview.sessionsOpen == launches.values.reduce(0, +), "the Arbiter knows other sessions than the daemon")
    }

    /// What an operator is told is never below zero.
    func checkFigures() {
        daemon.vms.forEach { record in
            expect(daemon.arbiter.report(of: record.vm) != nil, "\(record.title) is unknown to the Arbiter")
        }
        let status = daemon.status()
        expect(status.counters.grants >= 0 && status.counters.protocolErrors >= 0, "a counter below zero")
        expect(status.counters.busies.values.allSatisfy { $0 > 0 }, "a count of refusals below one")
        expect(status.queues.guestRequests >= 0 && status.queues.launchSessions >= 0, "a queue shorter than empty")
        expect(status.capacity.reservableMillihertz >= 0, "less than nothing can be reserved")
        var slot: Int?
        while let vm = daemon.virtualMachine(afterSlot: slot) {
            slot = vm.slot
            expect(vm.grants >= vm.guestGrants && vm.guestGrants >= 0, "grants of \(vm.name)")
            expect(vm.spTimeNanoseconds >= 0 && vm.registeredNanoseconds >= 0, "time of \(vm.name)")
            expect(vm.launches >= 0 && vm.overdueTurns >= 0, "launches of \(vm.name)")
        }
    }

    /// Every client reads all there is. Those that are still served know of every request where it is.
    func hearAll() {
        // What was kept for a slow reader comes in pieces, with each turn as much as its queue takes.
        for _ in 0..<400 {
            turn()
            var heard = 0
            for case let client? in clients { heard += client.hear(atMost: 64) }
            if heard == 0, clients.allSatisfy({ $0?.isReadOut ?? true }) { break }
        }
        for case let client? in clients where !client.hasEnded {
            guard let connection = daemon.connections[client.token] else { continue }
            expect(!connection.hasUnsent, "replies are kept for a client that has read everything")
            client.book.checkAnswered { connection.machine.isOpen(tag: $0) }
        }
    }

    /// Lets time pass until everybody has an answer, with a device that is well.
    func settle() {
        resume()
        for _ in 0..<400 {
            hearAll()
            if clients.allSatisfy({ $0?.isServed(by: daemon) != true || $0!.book.isAnswered }) { return }
            let wake = daemon.arbiter.nextWake ?? .distantFuture
            hand.now = max(hand.now, min(wake, hand.now + .seconds(1)))
            pass()
            check()
        }
        fail("a request is never answered")
    }

    /// The daemon does what has come due, and is told that the device is well if it asks.
    private func pass() {
        turn()
        guard daemon.deviceLink.descriptorNumber != nil else { return }
        answerProbe(.answered)
        turn()
    }

    private var hasTurn: Bool {
        let overview = daemon.arbiter.overview(now: hand.now)
        return overview.turn != nil || overview.turnBeside != nil
    }

    /// Everybody hangs up: nothing is left.
    func end() {
        for slot in clients.indices { hangUp(slot) }
        turn()
        expect(daemon.connections.count == 0, "\(daemon.connections.count) connections are left")
        // A VM lingers; a proxy's turn outlives its connection, by a lease of at most a session's time.
        for _ in 0..<16 where daemon.vms.count > 0 || hasTurn {
            hand.now = hand.now + daemon.configuration.clients.linger
            pass()
            check()
        }
        checkBooks()
        let overview = daemon.arbiter.overview(now: hand.now)
        expect(daemon.vms.count == 0, "\(daemon.vms.count) VMs are left")
        expect(overview.turn == nil && overview.turnBeside == nil, "a turn is left")
        expect(overview.sessionsOpen == 0, "a launch session is left")
        expect(overview.guestsWaiting == 0 && overview.launchesWaiting == 0, "a request is left")
        expect(overview.reserved == .zero, "a reservation is left")
    }
}

extension Client {
    /// Whether replies may still come.
    func isServed(by daemon: Daemon) -> Bool { !hasEnded && daemon.connections[token]?.doom == nil }
}
