import Arbiter
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("Turns through the client library")
struct TurnTests {
    @Test("a turn is asked for, granted, and released with what became of it")
    func turn() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_REPORT, maxWait: 20_000_000_000) }
        let (tag, asked) = try pair.connection.expect(.acquire)
        #expect(asked == .acquire(Acquire(.report, units: 1, maxWait: .seconds(20))))
        try pair.connection.send(.queued(Queued(position: 3, estimate: .milliseconds(20))), tag: tag)
        try pair.connection.grant(tag, turn: 90)
        let reply = try asking.value()
        #expect(reply.result == SPSCHED_OK)
        #expect(reply.grant.turn == 90)
        #expect(reply.grant.lease_ns == 3_600_000_000_000)
        #expect(!pair.client.isStale(reply.grant))

        #expect(pair.client.release(reply.grant, error: 5, measured: 6_000_000) == SPSCHED_OK)
        let release = try pair.connection.expect(.release)
        #expect(release.tag == 0)
        let expected = Release(
            TurnID(number: 90), errno: 5, firmwareCode: 0, measured: .milliseconds(6), unitsDone: 0)
        #expect(release.message == .release(expected))
        #expect(pair.client.isStale(reply.grant))
    }

    @Test("a turn is released once: a second release is not sent")
    func releasedOnce() throws {
        let pair = try Pair()
        let grant = try acquire(pair, turn: 5)
        _ = pair.client.release(grant)
        _ = pair.client.release(grant)
        let asking = Background { [client = pair.client] in client.acquire() }
        _ = try pair.connection.expect(.release)
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.refuse(tag)
        #expect(try asking.value().result == SPSCHED_BUSY)
    }

    @Test("a refusal says when to come back, why, and in words who holds the SP")
    func busy() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.refuse(tag, reason: .launchAhead, text: "a launch of \u{1}web-3 has the SP")
        let reply = try asking.value()
        #expect(reply.result == SPSCHED_BUSY)
        #expect(reply.retryAfter == 250_000_000)
        #expect(reply.reason == UInt16(SPSCHED_BUSY_LAUNCH_AHEAD.rawValue))
        #expect(reply.text == "a launch of ?web-3 has the SP")
        #expect(pair.client.lastError == reply.text)
        #expect(pair.client.status.busies == 1)
    }

    @Test("an error carries its code and sentence, and harms no later request")
    func error() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire(SPSCHED_LAUNCH_START) }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.send(
            .error(ErrorReply(code: Extensible(.noSession), text: "begin a launch first")), tag: tag)
        let reply = try asking.value()
        #expect(reply.result == SPSCHED_ERROR)
        #expect(reply.errorCode == 5)
        #expect(reply.text == "begin a launch first")
        _ = try acquire(pair, turn: 6)
    }

    @Test("release and acquire are one message, whose grant may cover fewer pages than asked")
    func releaseAndAcquire() throws {
        let pair = try Pair()
        let first = try acquire(pair, turn: 7)
        let asking = Background { [client = pair.client] in
            client.releaseAndAcquire(first, SPSCHED_LAUNCH_UPDATE, units: 64)
        }
        let (tag, message) = try pair.connection.expect(.releaseAndAcquire)
        #expect(
            message == .releaseAndAcquire(Release(TurnID(number: 7), unitsDone: 1), Acquire(.launchUpdate, units: 64)))
        try pair.connection.grant(tag, turn: 8, kind: .launchUpdate, units: 32)
        #expect(try asking.value().grant.units == 32)
    }

    @Test("a turn that was taken back before its release does not stop the next from being asked for")
    func releaseOfRevoked() throws {
        let pair = try Pair()
        let first = try acquire(pair, turn: 7)
        let asking = Background { [client = pair.client] in client.releaseAndAcquire(first, SPSCHED_REPORT) }
        let (tag, _) = try pair.connection.expect(.releaseAndAcquire)
        try pair.connection.send(.error(ErrorReply(code: Extensible(.unknownTurn), text: "lease ended")), tag: tag)
        let again = try pair.connection.expect(.acquire)
        #expect(again.tag > tag)
        try pair.connection.grant(again.tag, turn: 9)
        #expect(try asking.value().grant.turn == 9)
    }

    @Test("a revoked turn is stale, and its release is not sent")
    func revoked() throws {
        let pair = try Pair()
        let grant = try acquire(pair, turn: 7)
        try pair.connection.send(.revoked(TurnID(number: 7), Extensible(.leaseEnded)))
        try pair.client.waitUntil { $0.revoked == 1 }
        #expect(pair.client.isStale(grant))
        #expect(pair.client.lastError.contains("its lease ended"))
        #expect(pair.client.release(grant) == SPSCHED_OK)
        _ = try acquire(pair, turn: 8)
    }

    @Test("a grant is stale once start_within has passed")
    func stale() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        let granted = Granted(
            turn: TurnID(number: 3), startWithin: .zero, lease: .seconds(60), units: 1, kind: .report)
        try pair.connection.send(.granted(granted), tag: tag)
        let grant = try asking.value().grant
        try pair.client.waitUntil { _ in pair.client.isStale(grant) }
    }

    @Test("eight threads share a connection; each gets the answer to its own request, in whatever order they come")
    func pipelining() throws {
        let threads = 8
        let rounds = 50
        let pair = try Pair()
        let workers = (0..<threads).map { index in
            Background { [client = pair.client] in
                try (0..<rounds).forEach { _ in
                    let reply = client.acquire(SPSCHED_LAUNCH_UPDATE, units: UInt32(index + 1))
                    guard reply.result == SPSCHED_OK, reply.grant.units == UInt32(index + 1) else {
                        throw Failure("thread \(index) got \(reply)")
                    }
                    _ = client.release(reply.grant)
                }
            }
        }
        try answerInReverse(pair.connection, requests: threads * rounds, atOnce: threads)
        for worker in workers { try worker.value() }
        #expect(pair.client.status.grants == UInt64(threads * rounds))
    }

    /// Grants every request, the latest first, once all threads or the last of them have asked.
    private func answerInReverse(_ connection: Connection, requests: Int, atOnce: Int) throws {
        var waiting: [(tag: UInt64, units: UInt32)] = []
        var lastTag: UInt64 = 0
        var (asked, released) = (0, 0)
        while released < requests {
            guard let (tag, message) = try connection.receive() else { throw Failure("the client hung up") }
            switch message {
            case .acquire(let acquire):
                #expect(tag > lastTag)
                lastTag = tag
                waiting.append((tag, acquire.units))
                asked += 1
            case .release: released += 1
            default: throw Failure("the client sent \(message)")
            }
            // A thread asks again only when its turn is released: with nothing held, all that will ask have asked.
            guard asked - waiting.count == released, waiting.count == min(atOnce, requests - released) else { continue }
            for (tag, units) in waiting.reversed() {
                try connection.grant(tag, turn: tag, kind: .launchUpdate, units: units)
            }
            waiting = []
        }
    }
}

/// Takes one turn, to be used by a test of something else.
func acquire(_ pair: Pair, turn: UInt64, kind: CommandKind = .report) throws -> spsched_grant {
    let asking = Background { [client = pair.client] in client.acquire(spsched_kind(UInt32(kind.rawValue))) }
    let (tag, _) = try pair.connection.expect(.acquire)
    try pair.connection.grant(tag, turn: turn, kind: kind)
    let reply = try asking.value()
    guard reply.result == SPSCHED_OK else { throw Failure("no turn: \(reply)") }
    return reply.grant
}
