import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO
import Testing

@Suite("As a service", .timeLimit(.minutes(10)))
struct ServiceTests {
    @Test("it says READY with a status once it listens, STOPPING at the end, and ends well")
    func life() throws {
        let daemon = try RunningDaemon()
        #expect(daemon.ready.contains { $0.hasPrefix("STATUS=DEGRADED") && $0.contains("no-device") })
        let client = try daemon.enter()
        daemon.signal(SIGTERM)
        let last = try daemon.serviceManager.wait(for: "STOPPING=1")
        #expect(last.contains { $0.hasPrefix("STATUS=Stopping; 1 VMs") })
        #expect(try daemon.waitForEnd() == .exited(code: 0))
        #expect(try client.untilHangUp().isEmpty)
    }

    @Test("with a device its status says that it is served")
    func servedDevice() throws {
        let emulator = try RunningEmulator()
        let daemon = try RunningDaemon(device: emulator.socketPath)
        #expect(daemon.ready.contains { $0.hasPrefix("STATUS=\(emulator.socketPath) is served") })
    }

    @Test("the watchdog hears of the loop's progress again and again")
    func watchdog() throws {
        let daemon = try RunningDaemon(environment: ["WATCHDOG_USEC=200000"])
        for _ in 0..<3 { try daemon.serviceManager.wait(for: "WATCHDOG=1") }
    }

    @Test("a second daemon on the same socket says so, ends, and leaves the first alone")
    func second() throws {
        let daemon = try RunningDaemon()
        let second = try ShortRun([
            "--config", daemon.directory.file("t.toml"), "--socket", daemon.socketPath, "--manager-socket",
            daemon.directory.file("other"),
        ])
        #expect(second.code == EX_UNAVAILABLE)
        #expect(second.errors.contains("could not bind \(daemon.socketPath): Address already in use"))
        _ = try daemon.enter()
    }

    @Test("after a kill a new daemon takes the abandoned sockets over")
    func abandoned() throws {
        let first = try RunningDaemon()
        first.signal(SIGKILL)
        #expect(try first.waitForEnd() == .killed(signal: SIGKILL))
        let second = try RunningDaemon(arguments: ["--socket", first.socketPath])
        let client = try TestClient(path: first.socketPath)
        try client.enter()
        withExtendedLifetime(second) {}
    }

    @Test("its own sockets have the configured mode")
    func mode() throws {
        let daemon = try RunningDaemon(
            configuration: "[vmm]\nsocket_mode = \"0600\"\n[manager]\nsocket_mode = \"0666\"")
        var status = stat()
        #expect(stat(daemon.socketPath, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(daemon.managerPath, &status) == 0 && status.st_mode & 0o777 == 0o666)
    }

    @Test("it serves the sockets that it inherits, by name")
    func inheritedSocket() throws {
        let directory = try TemporaryDirectory()
        let manager = try FakeServiceManager()
        let listener = try UnixListener(path: directory.file("inherited"))
        // The shell knows the process number that LISTEN_PID must be.
        let process = try ChildProcess.spawn(
            "/bin/sh",
            [
                "-c", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=vmm exec \"$0\" \"$@\"",
                BuiltProcess.path(of: "spschedd"), "--socket", directory.file("unused"), "--manager-socket",
                directory.file("manager"), "--device", directory.file("none"),
            ],
            environment: ChildProcess.currentEnvironment() + ["NOTIFY_SOCKET=\(manager.path)"],
            descriptors: [nil, nil, nil, listener.descriptor.number])
        try manager.wait(for: "READY=1")
        try TestClient(path: directory.file("inherited")).enter()
        #expect(access(directory.file("unused"), F_OK) != 0)
        process.send(signal: SIGTERM)
        #expect(process.wait(milliseconds: TestClient.patience) == .exited(code: 0))
    }

    @Test("what the store holds under names that are none is told once and let go of, and the start goes on")
    func unknownDescriptors() throws {
        let directory = try TemporaryDirectory()
        let manager = try FakeServiceManager()
        let (errors, writer) = try LineReader.make()
        let listener = try UnixListener(path: directory.file("inherited"))
        let process = try ChildProcess.spawn(
            "/bin/sh",
            [
                "-c",
                "exec 4</dev/null 5</dev/null 6</dev/null; LISTEN_PID=$$ LISTEN_FDS=4"
                    + " LISTEN_FDNAMES=vmm:cx.y:c1:spschedd.new exec \"$0\" \"$@\"",
                BuiltProcess.path(of: "spschedd"), "--manager-socket", directory.file("manager"), "--device",
                directory.file("none"),
            ],
            environment: ChildProcess.currentEnvironment() + ["NOTIFY_SOCKET=\(manager.path)"],
            descriptors: [nil, nil, writer.number, listener.descriptor.number])
        writer.close()
        let told = try errors.wait(for: "unknown here")
        #expect(told.contains("kept 3 descriptors under names that are unknown here: 'cx.y', 'c1', 'spschedd.new'. "))
        try manager.wait(for: "FDNAME=cx.y")
        try TestClient(path: directory.file("inherited")).enter()
        process.send(signal: SIGTERM)
        #expect(process.wait(milliseconds: TestClient.patience) == .exited(code: 0))
        #expect(try errors.rest().components(separatedBy: "unknown here").count == 2, "it was told again")
    }

    @Test(
        "systemd-socket-activate starts it at the first connection",
        .enabled(if: access("/usr/bin/systemd-socket-activate", X_OK) == 0, "systemd is not installed"))
    func socketActivate() throws {
        let directory = try TemporaryDirectory()
        let (errors, writer) = try LineReader.make()
        let process = try ChildProcess.spawn(
            "/usr/bin/systemd-socket-activate",
            [
                "--seqpacket", "--listen", directory.file("vmm"), BuiltProcess.path(of: "spschedd"),
                "--manager-socket", directory.file("manager"), "--device", directory.file("none"),
            ], descriptors: [nil, nil, writer.number])
        writer.close()
        try errors.wait(for: "Listening on")
        try TestClient(path: directory.file("vmm")).enter()
        process.send(signal: SIGTERM)
        #expect(process.wait(milliseconds: TestClient.patience) == .exited(code: 0))
    }
}
