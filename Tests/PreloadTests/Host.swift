import Arbiter
import DeviceTestSupport
import Foundation
import ManagerProtocol

/// A real daemon, and the device that it hands out: an emulated SP, or /dev/null.
final class Host {
    let directory: TemporaryDirectory
    let emulator: RunningEmulator?
    private let serviceManager: FakeServiceManager
    private let daemon: BuiltProcess

    init(isEmulated: Bool = false, configuration: String = "") throws {
        directory = try TemporaryDirectory()
        emulator = isEmulated ? try RunningEmulator() : nil
        serviceManager = try FakeServiceManager()
        try configuration.write(toFile: directory.file("t.toml"), atomically: false, encoding: .utf8)
        daemon = try BuiltProcess(
            "spschedd",
            [
                "--config", directory.file("t.toml"), "--socket", directory.file("vmm"), "--manager-socket",
                directory.file("manager"), "--device", emulator?.socketPath ?? "/dev/null", "--device-socket",
                directory.file("probe"),
            ], environment: ["NOTIFY_SOCKET": serviceManager.path])
        try serviceManager.wait(for: "READY=1")
    }

    /// What tells a program where the daemon is, and its fake KVM where to write.
    var environment: [String: String] {
        ["SPSCHED_SOCKET": directory.file("vmm"), "FAKE_SEV_LOG": directory.file("log")]
    }

    func status() throws -> ManagerStatus {
        var manager = try ManagerClient.connect(to: directory.file("manager"), patienceMilliseconds: 60_000)
        return try manager.status()
    }

    /// Of the VMs that are registered now.
    func names() throws -> [String] {
        var manager = try ManagerClient.connect(to: directory.file("manager"), patienceMilliseconds: 60_000)
        var names: [String] = []
        try manager.listVMs { names.append($0.name) }
        return names
    }

    func launch(_ arguments: [String] = [], _ more: [String: String] = [:]) throws -> Run {
        try Run("launcher", arguments, [.preload, .fakeSEV], environment: environment.merging(more) { $1 })
    }

    /// The launch ioctls that reached KVM.
    var log: [String] {
        let text = (try? String(contentsOfFile: directory.file("log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Ends the daemon, as a crash does.
    func kill() {
        daemon.signal(SIGKILL)
        _ = daemon.waitForEnd()
    }
}
