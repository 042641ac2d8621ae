import Arbiter
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

/// Goal: nothing a daemon sends harms the VMM. Method: valid messages, mutated from a fixed seed, to the decoder alone
/// and to a client that waits; whatever they are, the client must get its answer in the end.
@Suite("Malformed messages of a daemon")
struct MalformedTests {
    @Test("100,000 mutated messages are decoded or refused, and whatever is decoded lies within the record")
    func decoder() {
        var random = Random(seed: 1)
        let vectors = Vector.valid.filter { !$0.isFromClient }.map(\.record)
        var refused = 0
        for _ in 0..<100_000 {
            // Its own allocation: a sanitizer sees a read beyond the end.
            let record = random.mutated(vectors[Int(random.next() % UInt64(vectors.count))])
            var message = wire_message()
            if decode(record, into: &message) != nil {
                refused += 1
            } else {
                #expect(Int(textLength(message)) <= record.count)
            }
        }
        #expect(refused > 10_000)
        #expect(refused < 90_000)
    }

    @Test("a message that breaks the protocol costs the daemon the connection, and is quoted")
    func quoted() throws {
        let pair = try Pair()
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.send(.done, tag: tag)
        let next = try pair.daemon.accept()
        try next.welcome()
        try next.admit(Registered(isResumed: true))
        #expect(pair.client.lastError.contains("calls done what has another answer"))
        let again = try next.expect(.acquire)
        try next.grant(again.tag, turn: 1)
        #expect(try asking.value().result == SPSCHED_OK)
        #expect(pair.client.status.malformed == 1)
    }

    @Test(
        "each of these breaks the protocol",
        arguments: [
            (DaemonMessage.welcome(Welcome(epoch: 1)), UInt64(0)),
            (.registered(Registered()), 0),
            (.launchBegun(SessionID(number: 1), chunkPages: 1), 0),
            (.done, 0),
            (.done, 1_000_000),
            (.granted(Granted(turn: TurnID(number: 0), startWithin: .zero, lease: .zero, units: 1, kind: .report)), 0),
            (.granted(Granted(turn: TurnID(number: 9), startWithin: .zero, lease: .zero, units: 0, kind: .report)), 0),
            (.launchBegun(SessionID(number: 0), chunkPages: 1), 0),
        ])
    func breach(message: DaemonMessage, tag: UInt64) throws {
        let pair = try Pair()
        try pair.connection.send(message, tag: tag)
        #expect(try pair.connection.receive() == nil)
        try pair.client.waitUntil { $0.malformed == 1 }
    }

    @Test(
        "a record longer than the protocol allows, an empty one, and an unasked descriptor end the connection or do nothing"
    )
    func records() throws {
        let long = try Pair()
        try long.connection.send(record: record(of: .draining(true), tag: 0) + [UInt8](repeating: 0, count: 2_000))
        #expect(try long.connection.receive() == nil)

        let empty = try Pair()
        try empty.connection.send(record: [])
        #expect(try empty.connection.receive() == nil)

        // The kernel drops it: nothing arrives, and nothing is wrong with the message.
        let unasked = try Pair()
        try unasked.connection.send(.draining(true), passing: 0)
        try unasked.client.waitUntil { $0.draining == 1 }
        #expect(spsched_take_device(unasked.client.handle) == -1)
    }

    @Test("2,000 times, a waiting client gets a mutated message, and its answer in the end")
    func waitingClient() throws {
        let daemon = try FakeDaemon()
        let hostile = Background { try beHostile(daemon, seed: 2) }
        var client: Client? = try Client.open(path: daemon.path)
        #expect(client?.register().result == SPSCHED_OK)
        var results: Set<UInt32> = []
        for _ in 0..<2_000 {
            guard let reply = client?.acquire(SPSCHED_LAUNCH_UPDATE, units: 32) else { break }
            results.insert(reply.result.rawValue)
            if reply.result == SPSCHED_OK { _ = client?.release(reply.grant) }
        }
        #expect(results.contains(SPSCHED_BUSY.rawValue))
        #expect(results.contains(SPSCHED_OK.rawValue))
        #expect(client.map { $0.status.malformed > 100 } == true)
        #expect(client?.status.fail_open_passes == 0)
        daemon.stopListening()
        client = nil
        try hostile.value()
    }

    private func textLength(_ message: wire_message) -> UInt16 {
        switch UInt32(message.type) {
        case WIRE_BUSY.rawValue: message.body.busy.text.length
        case WIRE_ERROR.rawValue: message.body.error.text.length
        case WIRE_DEVICE_STATE.rawValue: message.body.device_state.text.length
        default: 0
        }
    }
}

/// Answers every request, but says something mutated first, until nobody can connect any more.
private func beHostile(_ daemon: FakeDaemon, seed: UInt64) throws {
    var random = Random(seed: seed)
    while let connection = try? daemon.accept() {
        while let (tag, message) = try connection.receive() {
            // A send to a client that has hung up is lost, as it would be for any daemon.
            switch message {
            case .hello: try? connection.send(.welcome(Welcome(epoch: 1)), tag: tag)
            case .register: try? connection.send(.registered(Registered(isResumed: true)), tag: tag)
            case .acquire:
                let replies = possibleReplies(to: tag)
                try? connection.send(record: random.mutated(replies[Int(random.next() % UInt64(replies.count))]))
                try? connection.refuse(tag)
            default: break
            }
        }
    }
}

private func possibleReplies(to tag: UInt64) -> [[UInt8]] {
    let granted = Granted(
        turn: TurnID(number: tag), startWithin: .seconds(1), lease: .seconds(1), units: 32, kind: .launchUpdate)
    return [
        record(of: .granted(granted), tag: tag),
        record(of: .queued(Queued(position: 1, estimate: .seconds(1))), tag: tag),
        record(of: .error(ErrorReply(code: Extensible(.noSession), text: "a sentence")), tag: tag),
        record(of: .revoked(TurnID(number: tag - 1), Extensible(.leaseEnded)), tag: 0),
        record(of: .deviceState(Extensible(.stuck), text: "a sentence"), tag: 0),
        record(of: .resync(epoch: 5), tag: 0),
        record(of: .registered(Registered()), tag: tag),
        record(of: .launchBegun(SessionID(number: 4), chunkPages: 4), tag: tag),
    ]
}

/// Marsaglia's xorshift64*: the same everywhere.
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// The record with a few bytes changed, cut off, or appended.
    mutating func mutated(_ record: [UInt8]) -> [UInt8] {
        var record = record
        switch next() % 4 {
        case 0: record.removeLast(Int(next() % UInt64(record.count)))
        case 1: record += (0..<Int(next() % 64)).map { _ in UInt8(truncatingIfNeeded: next()) }
        default: break
        }
        for _ in 0..<Int(next() % 4) {
            record[Int(next() % UInt64(record.count))] = UInt8(truncatingIfNeeded: next() >> 8)
        }
        return record
    }
}
