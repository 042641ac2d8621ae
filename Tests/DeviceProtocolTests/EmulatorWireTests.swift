import Arbiter
import SPModel
import Testing

@testable import DeviceProtocol

/// Goal: what one side writes the other reads, the bytes are what they are said to be, and nothing else is accepted.
@Suite("Wire of sp-emulator")
struct EmulatorWireTests {
    static let faults: [SecureProcessor.Fault] = [
        .die(hang: .seconds(100)), .stall(.milliseconds(3)), .stallUntilRevived, .refuse(errno: 13, count: .next(2)),
        .refuse(errno: 16, count: .untilRevived), .firmwareError(0x16, count: .next(1)), .revive,
    ]

    static func requests() throws -> [EmulatorRequest] {
        let update = try #require(CommandSequence(kind: .launchUpdate, units: 32, pageKind: .zero))
        let finish = try #require(CommandSequence(kind: .launchFinish, units: 2, hasIDBlock: true))
        return [.label("vm-1"), .command(tag: 1, update), .command(tag: .max, finish), .statistics(tag: 3)]
            + faults.map { .control(tag: 9, $0) }
    }

    static let replies: [EmulatorReply] = [
        .result(tag: 1, CommandResult(queued: .milliseconds(1), service: .milliseconds(7), unitsDone: 32)),
        .result(
            tag: 2,
            CommandResult(
                errno: 5, firmwareCode: FirmwareCode(rawValue: 0x16), queued: .zero, service: .microseconds(1),
                unitsDone: 0)),
        .result(
            tag: 3,
            CommandResult(
                queued: .zero, service: .microseconds(460), unitsDone: 1,
                platform: PlatformStatus(major: 1, minor: 58, guestCount: 12))),
        .done(tag: 4),
        .statistics(tag: 5, EmulatorStatistics()),
        .error(tag: 6, .commandOutstanding, "één ioctl at a time"),
    ]

    @Test("every request is read as it was written")
    func requestRoundTrip() throws {
        for request in try Self.requests() {
            #expect(try EmulatorRequest(decoding: request.encoded()) == request)
        }
    }

    @Test("every reply is read as it was written", arguments: replies)
    func replyRoundTrip(reply: EmulatorReply) throws {
        #expect(try EmulatorReply(decoding: reply.encoded()) == reply)
        #expect(reply.encoded().count <= WireLimits.messageBytes)
    }

    @Test("a command's bytes are those of the documented layout")
    func golden() throws {
        let update = try #require(CommandSequence(kind: .launchUpdate, units: 0x0102, pageKind: .cpuid))
        #expect(
            EmulatorRequest.command(tag: 0x0A, update).encoded() == [
                0x02, 0x00, 24, 0, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0, 0,
                0x01, 0x01, 6, 0, 0x02, 0x01, 0, 0,
            ])
    }

    @Test("cut short anywhere, made longer, or with a reserved byte set, a request is no message")
    func strict() throws {
        for request in try Self.requests() {
            let bytes = request.encoded()
            for count in 0..<bytes.count {
                #expect(throws: EmulatorRequestError.self) { try EmulatorRequest(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: EmulatorRequestError.self) { try EmulatorRequest(decoding: bytes + [0]) }
            var reserved = bytes
            reserved[5] = 1
            #expect(throws: EmulatorRequestError.self) { try EmulatorRequest(decoding: reserved) }
        }
        for reply in Self.replies {
            let bytes = reply.encoded()
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) { try EmulatorReply(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: WireError.self) { try EmulatorReply(decoding: bytes + [0]) }
        }
    }

    @Test("a command that no single ioctl is names its tag, so that it can be answered")
    func impossible() throws {
        let report = try #require(CommandSequence(kind: .report))
        for (offset, value) in [(16, UInt8(0x77)), (18, 2), (19, 2), (20, 0), (20, 2)] {
            var bytes = EmulatorRequest.command(tag: 7, report).encoded()
            bytes[offset] = value
            #expect {
                try EmulatorRequest(decoding: bytes)
            } throws: { error in
                if case .impossibleCommand(tag: 7, _)? = error as? EmulatorRequestError { true } else { false }
            }
        }
    }

    @Test("seeded garbage is refused or read, never a crash")
    func garbage() {
        var random = SplitMix64(seed: 99)
        for _ in 0..<20_000 {
            var bytes = (0..<Int(random.next() % 160)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if bytes.count >= 16, random.next() % 4 != 0 {
                // Half right: a known type and the right size.
                bytes.replaceSubrange(0..<8, with: [UInt8(random.next() % 6), 0, UInt8(bytes.count), 0, 0, 0, 0, 0])
                if random.next() % 2 == 0 { bytes[1] = 0x80 }
            }
            _ = try? EmulatorRequest(decoding: bytes)
            _ = try? EmulatorReply(decoding: bytes)
            _ = try? ProbeRequest(decoding: bytes)
            _ = try? ProbeReply(decoding: bytes)
        }
    }

    @Test("a label or a text that is too long is cut at a character")
    func cut() throws {
        let long = String(repeating: "é", count: 400)
        guard case .label(let label) = try EmulatorRequest(decoding: EmulatorRequest.label(long).encoded()) else {
            Issue.record("no label")
            return
        }
        #expect(label == String(repeating: "é", count: 32))
        let reply = EmulatorReply.error(tag: 1, .malformed, long)
        #expect(try EmulatorReply(decoding: reply.encoded()) == .error(tag: 1, .malformed, String(long.prefix(256))))
    }
}
