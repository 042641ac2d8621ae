import Arbiter
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("Ending a wait", .serialized)
struct CancelTests {
    @Test("another thread cancels a wait by its number; the others wait on")
    func cancelled() throws {
        let pair = try Pair()
        let first = Background { [client = pair.client] in client.acquire(cancelID: 1) }
        let (firstTag, _) = try pair.connection.expect(.acquire)
        let second = Background { [client = pair.client] in client.acquire(SPSCHED_DERIVED_KEY, cancelID: 2) }
        let (secondTag, _) = try pair.connection.expect(.acquire)

        #expect(spsched_cancel(pair.client.handle, 3) == 0)
        #expect(spsched_cancel(pair.client.handle, 1) == 1)
        let cancel = try pair.connection.expect(.cancel)
        #expect(cancel.tag == 0)
        #expect(cancel.message == .cancel(tag: firstTag))
        try pair.connection.refuse(firstTag, reason: .cancelled)
        #expect(try first.value().result == SPSCHED_CANCELLED)

        try pair.connection.grant(secondTag, turn: 4, kind: .derivedKey)
        #expect(try second.value().result == SPSCHED_OK)
        #expect(pair.client.status.cancelled == 1)
    }

    @Test("a grant that crosses a cancel is given back at once")
    func crossing() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        #expect(spsched_cancel(pair.client.handle, 0) == 1)
        _ = try pair.connection.expect(.cancel)
        try pair.connection.grant(tag, turn: 12)
        #expect(try asking.value().result == SPSCHED_CANCELLED)
        let (_, release) = try pair.connection.expect(.release)
        #expect(release == .release(Release(TurnID(number: 12), errno: ECANCELED, unitsDone: 0)))
        try pair.client.waitUntil { $0.grants_returned == 1 }
        #expect(pair.client.status.grants == 0)
    }

    @Test("a cancel ends the wait although the daemon is silent, and a grant that comes much later is given back")
    func silentDaemon() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_LAUNCH_START) }
        let (tag, _) = try pair.connection.expect(.acquire)
        #expect(spsched_cancel(pair.client.handle, 0) == 1)
        #expect(try asking.value().result == SPSCHED_CANCELLED)
        _ = try pair.connection.expect(.cancel)
        try pair.connection.grant(tag, turn: 13, kind: .launchStart)
        let (_, release) = try pair.connection.expect(.release)
        #expect(release == .release(Release(TurnID(number: 13), errno: ECANCELED, unitsDone: 0)))
        #expect(pair.client.status.absent == 0)
    }

    @Test("a signal ends the wait, after it was cancelled")
    func signal() throws {
        testing_count_signals(SIGUSR1)
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        let signalling = try interruptUntilCancelled(asking, pair.connection)
        #expect(signalling == tag)
        try pair.connection.refuse(tag, reason: .cancelled)
        #expect(try asking.value().result == SPSCHED_INTERRUPTED)
        #expect(pair.client.status.cancelled == 1)
    }

    @Test("a signal reaches a thread that waits while another receives for it")
    func signalToFollower() throws {
        testing_count_signals(SIGUSR1)
        let pair = try Pair()
        let leading = Background { [client = pair.client] in client.acquire(flags: SPSCHED_UNINTERRUPTIBLE) }
        let (leaderTag, _) = try pair.connection.expect(.acquire)
        let following = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        #expect(try interruptUntilCancelled(following, pair.connection) == tag)
        try pair.connection.refuse(tag, reason: .cancelled)
        #expect(try following.value().result == SPSCHED_INTERRUPTED)
        try pair.connection.grant(leaderTag, turn: 1)
        #expect(try leading.value().result == SPSCHED_OK)
    }

    @Test("an uninterruptible wait outlives signals")
    func uninterruptible() throws {
        testing_count_signals(SIGUSR1)
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(flags: SPSCHED_UNINTERRUPTIBLE) }
        let (tag, _) = try pair.connection.expect(.acquire)
        let before = testing_signals_counted()
        pthread_kill(asking.thread, SIGUSR1)
        while testing_signals_counted() == before { sched_yield() }
        try pair.connection.grant(tag, turn: 2)
        #expect(try asking.value().result == SPSCHED_OK)
    }

    /// Signals the thread until the daemon hears its cancel (a signal may come before it sleeps); the tag cancelled.
    private func interruptUntilCancelled(_ asking: Background<Reply>, _ connection: Connection) throws -> UInt64 {
        var record = [UInt8](repeating: 0, count: 1_024)
        for _ in 0..<Patience.milliseconds / 10 {
            pthread_kill(asking.thread, SIGUSR1)
            let length = testing_receive(connection.descriptor, &record, record.count, 10)
            guard length > 0 else { continue }
            let bytes = record[..<length]
            let header = try Header(decoding: bytes.span)
            if case .cancel(let tag) = try ClientMessage(decoding: bytes.span, header: header) { return tag }
            throw Failure("the client sent something else than a cancel")
        }
        throw Failure("no signal ended the wait")
    }
}
