import Arbiter
import ConfigurationFiles
import Glibc
import Testing
import VMMProtocol

@testable import spschedd

/// Goal: each of the ways in which a restart can cut through a request ends as if there had been none.
/// Method: a daemon that is ended between two turns of its loop; what its client says it has or has not heard stands
/// for the moment within the turn.
@Suite("A restarted daemon")
struct RestartedDaemonTests {
    private let report = ClientMessage.acquire(Acquire(.report))

    @Test("a turn that its client holds stays its own, and passes on when it is released")
    func heldTurn() throws {
        let scene = try RestartedDaemon()
        let (first, second) = (try scene.enter("first"), try scene.enter("second"))
        first.send(report, tag: 3)
        try scene.turn()
        let turn = try first.grant(to: 3).turn
        second.send(report, tag: 3)
        try scene.turn()
        try scene.restart()
        try first.resynchronise(held: turn)
        try second.resynchronise(tags: [3])
        second.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        #expect(second.reply(to: 3) == nil, "the SP is in use")
        first.send(.release(Release(turn)))
        try scene.turn()
        _ = try second.grant(to: 3)
        #expect(first.reply(to: 0).map { if case .error = $0 { true } else { false } } != true)
    }

    @Test("a grant that was not sent is taken back, and the request that comes again is granted once")
    func unsentGrant() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        client.send(report, tag: 3)
        try scene.turn()
        let before = try client.grant(to: 3).turn
        try scene.restart()
        try client.resynchronise(tags: [3])
        client.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        let after = try client.grant(to: 3).turn
        #expect(after != before)
        #expect(client.reply(to: 3) == nil)
        client.send(.release(Release(after)), tag: 4)
        try scene.turn()
        #expect(client.reply(to: 4) == .done)
    }

    @Test("a release that was read and not written down frees the SP")
    func lostRelease() throws {
        let scene = try RestartedDaemon()
        let (first, second) = (try scene.enter("first"), try scene.enter("second"))
        first.send(report, tag: 3)
        try scene.turn()
        _ = try first.grant(to: 3)
        try scene.restart()
        try first.resynchronise()
        try second.resynchronise(tags: [3])
        second.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        _ = try second.grant(to: 3)
    }

    @Test("what was done and not answered is answered when it comes again, and not done twice")
    func doneAndNotAnswered() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        client.send(.launchBegin(LaunchPlan(pages: 8, virtualCPUs: 1)), tag: 3)
        try scene.turn()
        guard case .launchBegun(let session, _)? = client.reply(to: 3) else { return #expect(Bool(false)) }
        try scene.restart()
        try client.resynchronise(tags: [3])
        client.send(.launchBegin(LaunchPlan(pages: 8, virtualCPUs: 1)), tag: 3)
        try scene.turn()
        guard case .launchBegun(session, _)? = client.reply(to: 3) else { return #expect(Bool(false)) }

        client.send(.acquire(Acquire(.launchStart)), tag: 4)
        try scene.pass(.milliseconds(20))
        let turn = try client.grant(to: 4).turn
        client.send(.release(Release(turn)), tag: 5)
        try scene.turn()
        #expect(client.reply(to: 5) == .done)
        try scene.restart()
        try client.resynchronise(session: session, tags: [5])
        client.send(.release(Release(turn)), tag: 5)
        try scene.turn()
        #expect(client.reply(to: 5) == .done)

        client.send(.launchEnd(session, .running), tag: 6)
        try scene.pass(.milliseconds(20))
        #expect(client.reply(to: 6) == .done)
        try scene.restart()
        try client.resynchronise(tags: [6])
        client.send(.launchEnd(session, .running), tag: 6)
        try scene.turn()
        #expect(client.reply(to: 6) == .done)
    }

    @Test("a release with the next request: whichever half was done, the request is granted once")
    func releaseAndAcquire() throws {
        for wasDone in [true, false] {
            let scene = try RestartedDaemon()
            let client = try scene.enter("vm")
            client.send(.launchBegin(LaunchPlan(pages: 8, virtualCPUs: 1)), tag: 3)
            client.send(.acquire(Acquire(.launchStart)), tag: 4)
            try scene.turn()
            let turn = try client.grant(to: 4).turn
            let next = ClientMessage.releaseAndAcquire(Release(turn), Acquire(.launchUpdate, units: 8))
            if wasDone {
                client.send(next, tag: 5)
                try scene.turn()
                _ = try client.grant(to: 5)
            }
            try scene.restart()
            try client.resynchronise(tags: [5])
            client.send(next, tag: 5)
            try scene.pass(.milliseconds(20))
            #expect(try client.grant(to: 5).units == 8)
            #expect(client.reply(to: 5) == nil)
        }
    }

    @Test("a registration that was not answered is answered when it comes again")
    func registration() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        let token = try #require(client.registered?.token)
        try scene.restart()
        try client.resynchronise(tags: [2])
        client.send(.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("vm")!)), tag: 2)
        try scene.turn()
        guard case .registered(let again)? = client.reply(to: 2) else { return #expect(Bool(false)) }
        #expect(again.token == token)
        #expect(scene.daemon.vms.count == 1)
    }

    @Test("what a client says will come again is taken once for each tag, whatever else it says will come")
    func repeatedOnce() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        let register = ClientMessage.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("vm")!))
        try scene.restart()
        try client.resynchronise(tags: [2, .max])
        client.send(register, tag: 2)
        try scene.turn()
        guard case .registered? = client.reply(to: 2) else { return #expect(Bool(false)) }
        client.send(register, tag: 2)
        try scene.turn()
        guard case .error(let refusal)? = client.reply(to: 2) else { return #expect(Bool(false)) }
        #expect(refusal.code == Extensible(.alreadyRegistered))
    }

    @Test("what came before RESYNC_STATE comes again, and counts once")
    func earlyRequest() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        // It lies unread in the socket when the next daemon begins.
        client.send(report, tag: 3)
        try scene.restart()
        #expect(client.reply(to: 3) == nil)
        try client.resynchronise(tags: [3])
        client.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        _ = try client.grant(to: 3)
        #expect(client.reply(to: 3) == nil, "it was answered twice")
    }

    @Test("an answer to another daemon's RESYNC is none")
    func otherEpoch() throws {
        let scene = try RestartedDaemon()
        let client = try scene.enter("vm")
        client.send(report, tag: 3)
        try scene.turn()
        let turn = try client.grant(to: 3).turn
        try scene.restart()
        let first = try #require(client.resync())
        try scene.restart()
        client.send(.resyncState(ResyncState(epoch: first)))
        try scene.turn()
        let turns = scene.daemon.arbiter.turns(ofOrigin: client.token.packed)
        #expect(turns == [turn], "it was believed")
        try client.resynchronise(held: turn)
        client.send(.release(Release(turn)), tag: 4)
        try scene.turn()
        #expect(client.reply(to: 4) == .done)
    }

    @Test("a client that died meanwhile is found dead, and its turn passes on")
    func deadClient() throws {
        let scene = try RestartedDaemon()
        let (dying, other) = (try scene.enter("dying"), try scene.enter("other"))
        dying.send(report, tag: 3)
        try scene.turn()
        _ = try dying.grant(to: 3)
        dying.hangUp()
        try scene.restart()
        try other.resynchronise(tags: [3])
        other.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        _ = try other.grant(to: 3)
    }

    @Test("a client that does not answer is not waited for, and keeps its turn to its lease")
    func silentClient() throws {
        let scene = try RestartedDaemon()
        let (silent, other) = (try scene.enter("silent"), try scene.enter("other"))
        silent.send(report, tag: 3)
        try scene.turn()
        let grant = try silent.grant(to: 3)
        try scene.restart()
        try other.resynchronise(tags: [3])
        other.send(report, tag: 3)
        try scene.pass(DaemonLimits.resyncPatience)
        let isPaused = scene.daemon.arbiter.isPaused
        #expect(!isPaused)
        #expect(other.reply(to: 3) == nil, "the turn of the silent one is out")
        try scene.pass(grant.lease + .milliseconds(1))
        _ = try other.grant(to: 3)
    }

    @Test("a connection that was not kept: its VM comes back by its token, and its turn is over")
    func notKept() throws {
        let scene = try RestartedDaemon()
        let lost = try scene.enter("lost")
        lost.send(report, tag: 3)
        try scene.turn()
        _ = try lost.grant(to: 3)
        let token = try #require(lost.registered?.token)
        try scene.restart(forgetting: [lost])
        #expect(scene.daemon.vms.count == 1)
        let again = try scene.connect()
        again.send(.hello(Hello(name: Name64("scene")!)), tag: 1)
        again.send(.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("lost")!, token: token)), tag: 2)
        again.send(report, tag: 3)
        for _ in 0..<4 { try scene.pass(.milliseconds(5)) }
        guard case .registered(let registered)? = again.reply(to: 2) else { return #expect(Bool(false)) }
        #expect(registered.isResumed)
        #expect(scene.daemon.counters.resumed == 1)
        _ = try again.grant(to: 3)
    }

    @Test("whom the next daemon's policy denies keeps its VM, by connection or by token, and registers no other")
    func denied() throws {
        let scene = try RestartedDaemon()
        let (kept, lost) = (try scene.enter("kept"), try scene.enter("lost"))
        let token = try #require(lost.registered?.token)
        try scene.restart(forgetting: [lost]) {
            var policy = PolicySettings(name: "tests")
            policy.users = ["\(getuid())"]
            policy.access = .denied
            $0.policies = [policy]
        }
        try kept.resynchronise()
        kept.send(report, tag: 3)
        try scene.pass(.milliseconds(20))
        kept.send(.release(Release(try kept.grant(to: 3).turn)))
        let again = try scene.connect()
        again.send(.hello(Hello(name: Name64("scene")!)), tag: 1)
        let register = Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("lost")!, token: token)
        again.send(.register(register), tag: 2)
        for _ in 0..<4 { try scene.pass(.milliseconds(5)) }
        guard case .registered(let registered)? = again.reply(to: 2) else { return #expect(Bool(false)) }
        #expect(registered.isResumed)

        kept.send(.unregister, tag: 4)
        kept.send(.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("new")!)), tag: 5)
        for _ in 0..<4 { try scene.pass(.milliseconds(200)) }
        guard case .error(let refusal)? = kept.reply(to: 5) else { return #expect(Bool(false)) }
        #expect(refusal.code == Extensible(.accessDenied) && refusal.text.contains("policy.tests.access"))
        _ = kept.hear()
        #expect(kept.hasEnded)
        #expect(scene.daemon.vms.count == 1)
    }

    @Test("with fewer places than before everybody keeps theirs, again and again")
    func fewerPlaces() throws {
        let scene = try RestartedDaemon()
        let clients = try (0..<3).map { try scene.enter("vm-\($0)") }
        for vms: Int64 in [2, 1, 5] {
            try scene.restart { $0.clients.vmsMax = vms }
            for client in clients { try client.resynchronise() }
            try scene.pass(.milliseconds(20))
            #expect(scene.daemon.vms.count == 3)
            guard vms < 3 else { continue }
            let newcomer = try scene.connect()
            newcomer.send(.hello(Hello(name: Name64("scene")!)), tag: 1)
            newcomer.send(.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64("new")!)), tag: 2)
            for _ in 0..<4 { try scene.pass(.milliseconds(200)) }
            guard case .error(let refusal)? = newcomer.reply(to: 2) else { return #expect(Bool(false)) }
            #expect(refusal.code == Extensible(.tooManyVMs))
        }
        for client in clients {
            client.send(report, tag: 9)
            try scene.turn()
            let turn = try client.grant(to: 9).turn
            client.send(.release(Release(turn)), tag: 10)
            try scene.turn()
            #expect(client.reply(to: 10) == .done)
        }
    }

    @Test("after each restart the books agree: accounts, VMs, sessions")
    func books() throws {
        let scene = try RestartedDaemon()
        let clients = try (0..<3).map { try scene.enter("vm-\($0)") }
        clients[0].send(.launchBegin(LaunchPlan(pages: 8, virtualCPUs: 1)), tag: 3)
        try scene.turn()
        for _ in 0..<3 {
            try scene.restart()
            for client in clients { try client.resynchronise() }
            try scene.pass(.milliseconds(20))
            let violation = scene.daemon.arbiter.violatedInvariant()
            #expect(violation == nil)
            let overview = scene.daemon.arbiter.overview(now: scene.hand.now)
            #expect(overview.virtualMachines == 3)
            #expect(overview.sessionsOpen == 1)
            var totals = (connections: 0, vms: 0, launches: 0)
            scene.daemon.accounts.forEach {
                totals.connections += $0.connections
                totals.vms += $0.vms
                totals.launches += $0.launches
            }
            #expect([totals.connections, totals.vms, totals.launches] == [3, 3, 1])
        }
    }
}
