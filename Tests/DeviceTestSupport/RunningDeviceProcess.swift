import DeviceProtocol
import Glibc

/// A `spschedd-device` that listens, in a directory of its own.
public final class RunningDeviceProcess {
    public let directory: TemporaryDirectory
    public let process: BuiltProcess
    public var socketPath: String { directory.file("device") }

    /// Waits until it has told its service manager that it is ready.
    public init(device: String, manager: FakeServiceManager = try! FakeServiceManager()) throws {
        directory = try TemporaryDirectory()
        process = try BuiltProcess(
            "spschedd-device", ["--device", device, "--socket", directory.file("device")],
            environment: ["NOTIFY_SOCKET": manager.path])
        try manager.wait(for: "READY=1")
    }

    public func connect() throws -> DeviceProcessConnection { try DeviceProcessConnection(path: socketPath) }
}
