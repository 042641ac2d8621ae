import Arbiter
import DeviceTestSupport
import Glibc
import LinuxIO
import SPModel
import Testing

@testable import DeviceProtocol

/// Goal: whatever one connection sends, it gets a defined answer and the others none the worse.
@Suite("sp-emulator and bad input", .serialized)
struct EmulatorBadInputTests {
    @Test(
        "what is no message is answered with the reason and the end of the connection",
        arguments: [
            [1, 2, 3], [UInt8](repeating: 0xFF, count: 16), [UInt8](repeating: 0, count: 700),
            [0x77, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [3, 0, 40, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x66, count: 24),
        ])
    func garbage(bytes: [UInt8]) throws {
        let emulator = try RunningEmulator()
        var other = try emulator.connect()
        let socket = try SeqpacketSocket.connect(to: emulator.socketPath)
        #expect(try socket.send(bytes.span.bytes) == .sent)
        guard case .record(let reply) = try socket.receiveRecord(),
            case .error(tag: 0, .malformed, let reason) = try EmulatorReply(decoding: reply)
        else {
            Issue.record("no error")
            return
        }
        #expect(!reason.isEmpty)
        guard case .hungUp = try socket.receiveRecord() else {
            Issue.record("still open")
            return
        }
        #expect(try other.perform(.derivedKey).errno == 0)
        #expect(emulator.process.standardError.contains(reason))
    }

    @Test("a second command while one is outstanding is refused, and the first goes on")
    func twoCommands() throws {
        let emulator = try RunningEmulator()
        var control = try emulator.connect()
        var device = try emulator.connect()
        let report = try #require(CommandSequence(kind: .report))
        try control.control(.stallUntilRevived)
        let first = try device.submit(report)
        let second = try device.submit(report)
        guard case .error(tag: second, .commandOutstanding, _) = try device.receive() else {
            Issue.record("not refused")
            return
        }
        try control.control(.revive)
        guard case .result(tag: first, let result) = try device.receive() else {
            Issue.record("no result")
            return
        }
        #expect(result.errno == 0)
    }

    @Test("what no single ioctl does is refused, and the connection goes on")
    func impossible() throws {
        let emulator = try RunningEmulator()
        var device = try emulator.connect()
        let socket = try SeqpacketSocket.connect(to: emulator.socketPath)
        var bytes = EmulatorRequest.command(tag: 4, try #require(CommandSequence(kind: .report))).encoded()
        bytes[17] = 0x01
        bytes[16] = 0x03  // wholeLaunch
        #expect(try socket.send(bytes.span.bytes) == .sent)
        guard case .record(let reply) = try socket.receiveRecord() else {
            Issue.record("no reply")
            return
        }
        guard case .error(tag: 4, .impossibleCommand, _) = try EmulatorReply(decoding: reply) else {
            Issue.record("not refused")
            return
        }
        #expect(throws: DeviceProtocolError.self) { try device.perform(.launchUpdate, units: 0) }
        #expect(try device.perform(.derivedKey).errno == 0)
    }

    @Test("who floods it and never reads is disconnected; others go on")
    func flood() throws {
        let emulator = try RunningEmulator()
        var other = try emulator.connect()
        let socket = try SeqpacketSocket.connect(to: emulator.socketPath)
        let request = EmulatorRequest.statistics(tag: 1).encoded()
        var outcome = Sent.sent
        // Blocks while the emulator has not read; ends when it closes.
        while outcome == .sent { outcome = try socket.send(request.span.bytes) }
        #expect(outcome == .hungUp)
        #expect(try other.perform(.derivedKey).errno == 0)
    }

    @Test("a second emulator on the same socket is an error; a killed one's socket is taken over")
    func socketInUse() throws {
        let emulator = try RunningEmulator()
        let second = try BuiltProcess("sp-emulator", ["--socket", emulator.socketPath])
        #expect(second.waitForEnd() == EX_OSERR)
        #expect(second.standardError.contains(emulator.socketPath))
        emulator.process.signal(SIGKILL)
        #expect(emulator.process.waitForEnd() == -SIGKILL)
        let successor = try RunningEmulator(in: emulator.directory)
        var device = try successor.connect()
        #expect(try device.perform(.derivedKey).errno == 0)
    }

    @Test("wrong arguments are a usage error that names what there is")
    func arguments() throws {
        let unknown = try BuiltProcess("sp-emulator", ["--socket", "/nowhere", "--profile", "genoa"])
        #expect(unknown.waitForEnd() == EX_USAGE)
        #expect(unknown.standardError.contains("milan-2024"))
        #expect(try BuiltProcess("sp-emulator", []).waitForEnd() == EX_USAGE)
        let version = try BuiltProcess("sp-emulator", ["--version"])
        #expect(version.waitForEnd() == 0)
        #expect(version.rest() == "\(PackageVersion.current)\n")
    }

    @Test("a service manager is told when it listens")
    func notify() throws {
        let manager = try FakeServiceManager()
        let emulator = try RunningEmulator(environment: ["NOTIFY_SOCKET": manager.path])
        #expect(try manager.wait(for: "READY=1").contains("STATUS=Serving \(emulator.socketPath)"))
    }
}
