import Arbiter
import DeviceTestSupport
import Foundation
import LinuxIO
import ManagerProtocol

/// A release daemon on an emulated device, ready to be abused: its sockets in a directory of their own, its records in
/// a file.
public final class ServedHost {
    private let directory: TemporaryDirectory
    private let serviceManager: FakeServiceManager
    private let emulator: RunningEmulator
    private let device: RunningDeviceProcess
    private let daemon: Program
    /// One for good: what comes and goes in the daemon is then the clients'.
    private var manager: ManagerClient

    public var socketPath: String { directory.file("vmm") }
    public var managerPath: String { directory.file("manager") }
    public var emulatorPath: String { emulator.socketPath }
    public var daemonPID: Int32 { daemon.pid }

    /// Anybody may connect; silent and lost clients go soon, so that what one attack left is gone before the next.
    public static let impatient = """
        [vmm]
        socket_mode = "0666"
        [clients]
        hello_timeout = "300ms"
        linger = "200ms"
        """

    /// - Parameter processor: the daemon's.
    public init(configuration: String, processor: Int? = nil) throws {
        directory = try TemporaryDirectory()
        // The hostile account passes through it to the socket.
        chmod(directory.path, 0o755)
        serviceManager = try FakeServiceManager()
        emulator = try RunningEmulator()
        device = try RunningDeviceProcess(device: emulator.socketPath)
        try configuration.write(toFile: directory.file("t.toml"), atomically: false, encoding: .utf8)
        daemon = try Program(
            "spschedd",
            [
                "--config", directory.file("t.toml"), "--socket", directory.file("vmm"), "--manager-socket",
                directory.file("manager"), "--device", emulator.socketPath, "--device-socket", device.socketPath,
            ], processor: processor, environment: ["NOTIFY_SOCKET=\(serviceManager.path)"],
            errors: directory.file("journal"))
        try serviceManager.wait(for: "READY=1")
        manager = try ManagerClient.connect(
            to: directory.file("manager"), patienceMilliseconds: Program.patienceMilliseconds)
    }

    public func status() throws -> ManagerStatus { try manager.status() }

    public func listVMs() throws -> [ManagedVM] {
        var all: [ManagedVM] = []
        try manager.listVMs { all.append($0) }
        return all
    }

    /// What the daemon holds once it has been connected to its device's process, which it does when it first asks how
    /// the device is.
    public func baseline(_ victim: Program) throws -> ProcessFigures {
        struct Nothing: Decodable {}
        _ = try victim.ask("trouble", Nothing.self)
        _ = try status()
        return try figures()
    }

    public func figures() throws -> ProcessFigures {
        // A notification that waits is a socket of the daemon's.
        serviceManager.discardMessages()
        return try ProcessFigures(of: daemon.pid)
    }

    /// Asks the Manager until `isWanted`; false if it does not come to that in time. Each answer is a round trip
    /// through the daemon's loop.
    public func comes(
        within time: Nanoseconds = .seconds(10), to isWanted: (ManagerStatus, ProcessFigures) -> Bool
    ) throws -> Bool {
        let deadline = BootClock.now() + time
        while BootClock.now() < deadline {
            if isWanted(try status(), try figures()) { return true }
        }
        return false
    }

    /// Ends the daemon in order; every record it wrote.
    public func end() throws -> [String] {
        daemon.signal(SIGTERM)
        guard try daemon.waitForEnd() == .exited(code: 0) else {
            throw ProcessError("the daemon did not end in order; its last words: \(try journal().suffix(5))")
        }
        return try journal()
    }

    private func journal() throws -> [String] {
        try String(contentsOfFile: directory.file("journal"), encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
