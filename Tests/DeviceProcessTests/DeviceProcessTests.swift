import Arbiter
import DeviceTestSupport
import Glibc
import LinuxIO
import SPModel
import Testing

@testable import DeviceProtocol

/// Goal: a probe says what is true of the device, whatever that is. Method: the real process, on a real emulator.
@Suite("spschedd-device", .serialized)
struct DeviceProcessTests {
    @Test("a probe of a device that is well answers with its version and its guests")
    func answered() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var machine = try emulator.connect()
        #expect(try machine.perform(.launchStart).errno == 0)
        var daemon = try process.connect()
        let report = try daemon.probe()
        #expect(report.outcome == .answered && report.errno == 0 && report.firmwareCode == .success)
        #expect(report.platform == PlatformStatus(major: 1, minor: 58, guestCount: 1))
        #expect(report.duration > .zero && report.text.isEmpty)
    }

    @Test("a stalled device is no answer until the stall is over, and then one")
    func stalled() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var control = try emulator.connect()
        try control.control(.stallUntilRevived)
        var daemon = try DeviceProcessConnection(path: process.socketPath, isNonblocking: true)
        let tag = try daemon.sendProbe()
        try control.waitUntil { $0.outstanding == 1 }
        #expect(try daemon.receive() == nil)
        try control.control(.revive)
        var blocking = try process.connect()
        // Served in order: once this one is answered, so is the other.
        #expect(try blocking.probe().outcome == .answered)
        let reply = try #require(try daemon.receive())
        guard case .probe(let answered) = reply else {
            Issue.record("another reply: \(reply)")
            return
        }
        #expect(answered.tag == tag && answered.report.outcome == .answered)
    }

    @Test("platform commands are issued in order; what was not permitted is not issued, and says so")
    func platform() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var daemon = try process.connect()
        let status = try daemon.perform(.plain(.status))
        #expect(status.answer == .status(SNPStatus(major: 1, minor: 58, guestCount: 0)))
        let commit = try daemon.perform(.plain(.commit))
        #expect(commit.report.outcome == .answered && commit.answer == .nothing)
        let key = [UInt8](repeating: 7, count: PlatformOrder.hashstickBytes)
        #expect(try daemon.perform(.loadVLEK(wrappedVersion: 0, hashstick: key)).report.outcome == .answered)

        var control = try emulator.connect()
        try control.control(.firmwareError(0x25, count: .next(1)))
        let configuration = PlatformConfiguration(reportedTCB: 0, masksChipID: true, masksChipKey: false)
        let refused = try daemon.perform(.configure(configuration))
        #expect(refused.report.outcome == .firmwareRefused && refused.report.errno == EIO)
        #expect(refused.report.text.contains("SNP_SET_CONFIG") && refused.report.text.contains("RESTORE_REQUIRED"))

        let before = try control.statistics().ioctls
        let reset = try daemon.perform(.plain(.factoryReset))
        #expect(reset.report.outcome == .notPermitted && reset.report.text.contains("--permit snp"))
        #expect(try control.statistics().ioctls == before)
    }

    @Test("SIGTERM ends it with 0, also while a probe waits for a stalled device")
    func terminates() throws {
        let emulator = try RunningEmulator()
        let idle = try RunningDeviceProcess(device: emulator.socketPath)
        idle.process.signal(SIGTERM)
        #expect(idle.process.waitForEnd() == 0)

        let waiting = try RunningDeviceProcess(device: emulator.socketPath)
        var control = try emulator.connect()
        try control.control(.stallUntilRevived)
        var daemon = try waiting.connect()
        _ = try daemon.sendProbe()
        try control.waitUntil { $0.outstanding == 1 }
        waiting.process.signal(SIGTERM)
        #expect(waiting.process.waitForEnd() == 0)
        #expect(throws: DeviceProtocolError.hungUp(peer: "spschedd-device")) { try daemon.receive() }
    }

    @Test("a dead device is dead, with the errno: first ETIMEDOUT, then EBUSY")
    func dead() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var control = try emulator.connect()
        var daemon = try process.connect()
        try control.control(.die(hang: .zero))
        for expected in [ETIMEDOUT, EBUSY, EBUSY] {
            let report = try daemon.probe()
            #expect(report.outcome == .dead && report.errno == expected && report.platform == nil)
            #expect(report.text.contains("ccp"))
        }
        try control.control(.revive)
        #expect(try daemon.probe().outcome == .answered)
    }

    @Test("a firmware error is the firmware's, another errno is neither that nor death")
    func errors() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var control = try emulator.connect()
        var daemon = try process.connect()
        try control.control(.firmwareError(0x01, count: .next(1)))
        let refused = try daemon.probe()
        #expect(refused.outcome == .firmwareRefused && refused.errno == EIO && refused.firmwareCode.rawValue == 1)
        #expect(refused.text.contains("INVALID_PLATFORM_STATE"))
        try control.control(.refuse(errno: ENODEV, count: .next(1)))
        let vanished = try daemon.probe()
        #expect(vanished.outcome == .vanished && vanished.errno == ENODEV && vanished.firmwareCode == .success)
        try control.control(.refuse(errno: ENOMEM, count: .next(1)))
        let failed = try daemon.probe()
        #expect(failed.outcome == .failed && failed.errno == ENOMEM && failed.firmwareCode == .success)
    }

    @Test("without a device a probe says so, and finds it once it is there")
    func missing() throws {
        let directory = try TemporaryDirectory()
        let process = try RunningDeviceProcess(device: directory.file("sp"))
        var daemon = try process.connect()
        let report = try daemon.probe()
        #expect(report.outcome == .notAttempted && report.text.contains(directory.file("sp")))
        #expect(report.text.contains("No such file"))
        let emulator = try RunningEmulator(in: directory)
        #expect(try daemon.probe().outcome == .answered)
        emulator.process.signal(SIGKILL)
        _ = emulator.process.waitForEnd()
        let gone = try daemon.probe()
        #expect(gone.outcome == .notAttempted && gone.text.contains("sp-emulator"))
    }

    @Test("a regular file or a directory is a configuration error from the start")
    func wrongKind() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("file")
        close(creat(file, 0o600))
        for (path, kind) in [(file, "a regular file"), (directory.path, "a directory")] {
            let process = try BuiltProcess(
                "spschedd-device", ["--device", path, "--socket", directory.file("socket")])
            #expect(process.waitForEnd() == EX_CONFIG)
            #expect(process.standardError.contains("'\(path)' is \(kind)"))
            #expect(process.standardError.contains("/dev/sev"))
        }
    }

    @Test("a character device that is no SEV device, or on a host without SNP, is never reported as answering")
    func noSEV() throws {
        let process = try RunningDeviceProcess(device: "/dev/null")
        var daemon = try process.connect()
        let report = try daemon.probe()
        #expect(report.outcome == .notAttempted || report.outcome == .failed)
        #expect(report.text.contains("/dev/null") && report.platform == nil)
        // Where kvm_amd has no SNP, not one ioctl is issued.
        if report.outcome == .notAttempted { #expect(report.text.contains("kvm_amd") && report.errno == 0) }
    }

    @Test("what is no probe ends the connection; others go on")
    func garbage() throws {
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath)
        var other = try process.connect()
        for bytes in [
            [UInt8](repeating: 7, count: 3), .init(repeating: 0, count: 700), EmulatorRequest.label("x").encoded(),
        ] {
            let socket = try SeqpacketSocket.connect(to: process.socketPath)
            #expect(try socket.send(bytes.span.bytes) == .sent)
            guard case .hungUp = try socket.receiveRecord() else {
                Issue.record("still open")
                return
            }
        }
        #expect(try other.probe().outcome == .answered)
    }

    @Test("it tells its service manager that it is ready, and how the last probe went")
    func notifies() throws {
        let manager = try FakeServiceManager()
        let emulator = try RunningEmulator()
        let process = try RunningDeviceProcess(device: emulator.socketPath, manager: manager)
        var daemon = try process.connect()
        #expect(try daemon.probe().outcome == .answered)
        #expect(try manager.message().joined().hasPrefix("STATUS=Last probe answered in "))
        process.process.signal(SIGTERM)
        #expect(try manager.message() == ["STOPPING=1"])
        #expect(process.process.waitForEnd() == 0)
    }

    @Test("it serves the socket that a service manager passes, and needs one")
    func activation() throws {
        let emulator = try RunningEmulator()
        let directory = try TemporaryDirectory()
        let activator = try BuiltProcess(
            "/usr/bin/systemd-socket-activate",
            [
                "--seqpacket", "--listen", directory.file("socket"), BuiltProcess.path(of: "spschedd-device"),
                "--device",
                emulator.socketPath,
            ])
        // It listens some time after it was started; nothing tells when.
        var connected: Open?
        for _ in 0..<10_000_000 where connected == nil {
            connected = try? Open(DeviceProcessConnection(path: directory.file("socket")))
            sched_yield()
        }
        #expect(try connected?.connection.probe().outcome == .answered)
        activator.signal(SIGTERM)
        #expect(activator.waitForEnd() == 0)

        let without = try BuiltProcess("spschedd-device", ["--device", emulator.socketPath])
        #expect(without.waitForEnd() == EX_USAGE)
        #expect(without.standardError.contains("--socket"))
    }
}

private final class Open {
    var connection: DeviceProcessConnection

    init(_ connection: consuming DeviceProcessConnection) { self.connection = connection }
}
