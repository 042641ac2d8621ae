import Arbiter
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("A daemon that goes away")
struct AbsenceTests {
    @Test("after a restart the registration is resumed by token, and what waited is asked again under its own tag")
    func resumed() throws {
        let pair = try Pair(registered: Registered(token: 0xABCD))
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_DERIVED_KEY) }
        let (tag, asked) = try pair.connection.expect(.acquire)
        pair.connection.hangUp()

        let next = try pair.daemon.accept()
        try next.welcome()
        let registered = try next.admit(Registered(token: 0xABCD, isResumed: true))
        #expect(registered.token == Token(high: 0xABCD, low: 0xABCD))
        let again = try next.expect(.acquire)
        #expect(again.tag == tag)
        #expect(again.message == asked)
        try next.grant(tag, turn: 4, kind: .derivedKey)
        #expect(try asking.value().grant.turn == 4)
        let status = pair.client.status
        #expect(status.reconnects == 1)
        #expect(status.resumed == 1)
        #expect(status.connections_lost == 1)
        #expect(status.fail_open_passes == 0)
    }

    @Test("a daemon that lost its state admits the VM as new; a launch goes on in a session begun again")
    func admittedAsNew() throws {
        let pair = try Pair()
        let beginning = Background { [client = pair.client] in client.beginLaunch(pages: 300).result }
        let (tag, _) = try pair.connection.expect(.launchBegin)
        try pair.connection.send(.launchBegun(SessionID(number: 5), chunkPages: 32), tag: tag)
        #expect(try beginning.value() == SPSCHED_OK)
        let held = try acquire(pair, turn: 6, kind: .launchStart)
        pair.connection.hangUp()

        let next = try pair.daemon.accept()
        try next.welcome(epoch: 2)
        try next.admit(Registered(token: 88, epoch: 2))
        let begin = try next.expect(.launchBegin)
        #expect(begin.message == .launchBegin(LaunchPlan(pages: 300)))
        try next.send(.launchBegun(SessionID(number: 1), chunkPages: 16), tag: begin.tag)
        try pair.client.waitUntil { $0.connected == 1 && $0.epoch == 2 }

        #expect(pair.client.isStale(held))
        let asking = Background { [client = pair.client] in client.releaseAndAcquire(held, SPSCHED_LAUNCH_UPDATE) }
        let update = try next.expect(.acquire)
        try next.grant(update.tag, turn: 1, kind: .launchUpdate)
        #expect(try asking.value().result == SPSCHED_OK)
        let ending = Background { [client = pair.client] in client.endLaunch() }
        let end = try next.expect(.launchEnd)
        #expect(end.message == .launchEnd(SessionID(number: 1), .running))
        try next.send(.done, tag: end.tag)
        #expect(try ending.value() == SPSCHED_OK)
    }

    @Test("a restarted daemon that kept the connection hears what waits and what is held, and is asked again")
    func resync() throws {
        let pair = try Pair()
        let held = try acquire(pair, turn: 6)
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_DERIVED_KEY) }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.send(.resync(epoch: 99))
        let (_, state) = try pair.connection.expect(.resyncState)
        #expect(state == .resyncState(ResyncState(epoch: 99, heldTurn: TurnID(number: 6), tags: [tag])))
        #expect(try pair.connection.expect(.acquire).tag == tag)
        #expect(pair.client.release(held) == SPSCHED_OK)
        _ = try pair.connection.expect(.release)
        try pair.connection.grant(tag, turn: 7, kind: .derivedKey)
        #expect(try asking.value().result == SPSCHED_OK)
        #expect(pair.client.status.resyncs == 1)
        #expect(pair.client.status.epoch == 99)
    }

    @Test("after a resync a release and acquire is asked again whole; if its turn is not known, only the acquire")
    func resyncOfReleaseAndAcquire() throws {
        let pair = try Pair()
        let held = try acquire(pair, turn: 6)
        let asking = Background { [client = pair.client] in client.releaseAndAcquire(held, SPSCHED_REPORT) }
        let first = try pair.connection.expect(.releaseAndAcquire)
        try pair.connection.send(.resync(epoch: 99))
        #expect(
            try pair.connection.expect(.resyncState).message == .resyncState(ResyncState(epoch: 99, tags: [first.tag])))
        let again = try pair.connection.expect(.releaseAndAcquire)
        #expect(again.tag == first.tag)
        #expect(again.message == first.message)
        try pair.connection.send(.error(ErrorReply(code: Extensible(.unknownTurn), text: "")), tag: again.tag)
        let acquire = try pair.connection.expect(.acquire)
        try pair.connection.grant(acquire.tag, turn: 1)
        #expect(try asking.value().grant.turn == 1)
    }

    @Test("a resync is answered although nobody waits")
    func idleResync() throws {
        let pair = try Pair()
        try pair.connection.send(.resync(epoch: 3))
        let (_, state) = try pair.connection.expect(.resyncState)
        #expect(state == .resyncState(ResyncState(epoch: 3)))
    }

    @Test("fail-open: launch commands pass freely, guest requests at the reserved rate, and both are counted")
    func failOpen() throws {
        // One request in 40 s, three at once: a fourth cannot conform before its guest would have given up.
        let pair = try Pair(registered: Registered(reservation: Rate(millihertz: 25), burst: 3))
        pair.daemon.stopListening()
        pair.connection.hangUp()
        let first = pair.client.acquire(maxWait: 1_000_000)
        #expect(first.result == SPSCHED_OK)
        #expect(first.grant.flags == UInt16(SPSCHED_UNARBITRATED))
        #expect(!pair.client.isStale(first.grant))
        #expect(pair.client.release(first.grant) == SPSCHED_OK)
        #expect(pair.client.status.absent == 1)
        for _ in 0..<2 { #expect(pair.client.acquire().result == SPSCHED_OK) }
        let fourth = pair.client.acquire()
        #expect(fourth.result == SPSCHED_BUSY)
        #expect(fourth.reason == UInt16(SPSCHED_BUSY_FAIL_OPEN_RATE.rawValue))
        #expect(fourth.retryAfter > 1_000_000_000)
        #expect(fourth.retryAfter <= 40_000_000_000)

        let (result, launch, _) = pair.client.beginLaunch()
        #expect(result == SPSCHED_OK)
        #expect(launch.session == 0)
        for _ in 0..<50 { #expect(pair.client.acquire(SPSCHED_LAUNCH_UPDATE, units: 32).result == SPSCHED_OK) }
        #expect(pair.client.endLaunch() == SPSCHED_ABSENT)
        let status = pair.client.status
        #expect(status.fail_open_passes == 53)
        #expect(status.fail_open_busies == 1)
        #expect(status.fail_closed_refusals == 0)
    }

    @Test("fail-closed: everything is refused while the daemon is absent, with a sentence, and counted")
    func failClosed() throws {
        let pair = try Pair(registered: Registered(failureMode: .closed)) {
            $0.failure_mode = UInt8(SPSCHED_FAIL_CLOSED.rawValue)
        }
        pair.daemon.stopListening()
        pair.connection.hangUp()
        let reply = pair.client.acquire(maxWait: 1_000_000)
        #expect(reply.result == SPSCHED_ABSENT)
        #expect(reply.text == "spschedd does not answer, and this VM is registered to fail closed")
        #expect(pair.client.beginLaunch().result == SPSCHED_ABSENT)
        #expect(pair.client.acquire(SPSCHED_LAUNCH_START).result == SPSCHED_ABSENT)
        #expect(pair.client.status.fail_closed_refusals == 3)
        #expect(pair.client.status.fail_open_passes == 0)
    }

    @Test("a daemon that is silent is absent; its first word ends that, and its late grant is given back")
    func silence() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(maxWait: 1_000_000) }
        let (tag, _) = try pair.connection.expect(.acquire)
        #expect(try asking.value().grant.flags == UInt16(SPSCHED_UNARBITRATED))
        #expect(pair.client.status.absent == 1)
        #expect(pair.client.status.connected == 1)
        #expect(try pair.connection.expect(.cancel).message == .cancel(tag: tag))

        try pair.connection.grant(tag, turn: 50)
        let (_, release) = try pair.connection.expect(.release)
        #expect(release == .release(Release(TurnID(number: 50), errno: ECANCELED, unitsDone: 0)))
        try pair.client.waitUntil { $0.absent == 0 }
        _ = try acquire(pair, turn: 51)
        #expect(pair.client.status.fail_open_passes == 1)
    }

    @Test("a notice every so often keeps a launch waiting beyond the three seconds of silence that it bears")
    func notices() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_LAUNCH_START) }
        let (tag, _) = try pair.connection.expect(.acquire)
        // Seven notices, each well within the three seconds after the one before: they span more than three.
        let pause = DispatchSemaphore(value: 0)
        for _ in 0..<7 {
            _ = pause.wait(timeout: .now() + .milliseconds(500))
            try pair.connection.send(.queued(Queued(position: 1, estimate: .seconds(1))), tag: tag)
        }
        try pair.connection.grant(tag, turn: 1, kind: .launchStart)
        #expect(try asking.value().grant.turn == 1)
    }

    @Test("a VM may start before its daemon: it fails open, and is registered once the daemon is there")
    func openWhileAbsent() throws {
        let directory = try makeDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/sock"
        let client = try Client.open(path: path, flags: SPSCHED_OPEN_WHILE_ABSENT)
        #expect(client.register().result == SPSCHED_ABSENT)
        #expect(client.acquire().grant.flags == UInt16(SPSCHED_UNARBITRATED))

        let listener = testing_listen(path)
        defer { close(listener) }
        let connection = Connection(testing_accept(listener, Patience.milliseconds))
        try connection.welcome()
        try connection.admit()
        try client.waitUntil { $0.registered == 1 && $0.absent == 0 }
        let asking = Background { client.acquire() }
        let (tag, _) = try connection.expect(.acquire)
        try connection.grant(tag, turn: 1)
        #expect(try asking.value().result == SPSCHED_OK)
    }

    @Test("without the library's thread the embedder reconnects, on a thread of its own")
    func embedderReconnects() throws {
        let pair = try Pair(flags: SPSCHED_NO_RECONNECT_THREAD)
        pair.connection.hangUp()
        let reconnecting = Background { [client = pair.client] in spsched_reconnect(client.handle) }
        let next = try pair.daemon.accept()
        try next.welcome()
        try next.admit(Registered(isResumed: true))
        #expect(try reconnecting.value() == SPSCHED_OK)
        #expect(pair.client.status.resumed == 1)
    }

    @Test("what the daemon says of the device and of draining is kept")
    func states() throws {
        let pair = try Pair()
        try pair.connection.send(.deviceState(Extensible(.stuck), text: "a probe did not come back"))
        try pair.connection.send(.draining(true))
        try pair.client.waitUntil { $0.draining == 1 && $0.device_state == UInt8(SPSCHED_DEVICE_STUCK.rawValue) }
        #expect(pair.client.lastError == "a probe did not come back")
        try pair.connection.send(.draining(false))
        try pair.client.waitUntil { $0.draining == 0 }
    }
}
