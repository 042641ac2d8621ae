import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO

/// A real `spschedd` in a directory of its own, that has said READY. Killed when the last reference goes.
final class RunningDaemon {
    let directory: TemporaryDirectory
    let serviceManager: FakeServiceManager
    let errors: LineReader
    private var process: ChildProcess?
    /// What it said with READY=1.
    let ready: [String]

    var socketPath: String { directory.file("vmm") }
    var managerPath: String { directory.file("manager") }

    /// Each turn may be held for a second and more: where nothing but the test may end a turn or a wait, a busy machine
    /// does not.
    static let longLeases = """
        [planning_cost]
        report = "1s"
        launch_start = "1s"
        platform_status = "1s"
        platform_command = "1s"
        [arbiter]
        floor_share = "50%"
        guest_wait_max = "5s"

        """

    /// - Parameters:
    ///   - device: the device's path; without one there is none.
    ///   - configuration: TOML.
    init(
        device: String? = nil, configuration: String = "", arguments: [String] = [], environment: [String] = []
    ) throws {
        directory = try TemporaryDirectory()
        serviceManager = try FakeServiceManager()
        try configuration.write(toFile: directory.file("t.toml"), atomically: false, encoding: .utf8)
        let (reader, writer) = try LineReader.make()
        errors = reader
        process = try ChildProcess.spawn(
            BuiltProcess.path(of: "spschedd"),
            [
                "--config", directory.file("t.toml"), "--socket", directory.file("vmm"), "--manager-socket",
                directory.file("manager"), "--device", device ?? directory.file("no-device"), "--device-socket",
                directory.file("probe"),
            ] + arguments,
            environment: ChildProcess.currentEnvironment() + ["NOTIFY_SOCKET=\(serviceManager.path)"] + environment,
            descriptors: [nil, nil, writer.number])
        writer.close()
        ready = try serviceManager.wait(for: "READY=1")
    }

    var pid: Int32 { process?.pid ?? -1 }

    func signal(_ number: Int32) { process?.send(signal: number) }

    /// Waits for its end.
    func waitForEnd() throws -> ChildProcess.Ending {
        guard let ending = process.take()?.wait(milliseconds: TestClient.patience) else {
            throw TestFailure("it did not end")
        }
        return ending
    }

    func connect() throws -> TestClient { try TestClient(path: socketPath) }

    /// A registered client.
    func enter(_ name: String = "vm") throws -> TestClient {
        let client = try connect()
        try client.enter(name)
        return client
    }
}

/// Lines as a process writes them, read as they come.
final class LineReader {
    private let descriptor: FileDescriptor
    private var unread: [UInt8] = []
    private(set) var lines: [String] = []

    private init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    static func make() throws -> (LineReader, ClosableDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw TestFailure("no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (LineReader(FileDescriptor(adopting: ends[0])), ClosableDescriptor(ends[1]))
    }

    /// Reads on until a line holds `text`, and returns that line.
    @discardableResult
    func wait(for text: String) throws -> String {
        if let line = lines.first(where: { $0.contains(text) }) { return line }
        while let line = try next() { if line.contains(text) { return line } }
        throw TestFailure("the end came before a line with '\(text)': \(lines.joined(separator: "\n"))")
    }

    /// All lines to the end.
    func rest() throws -> String {
        while try next() != nil {}
        return lines.joined(separator: "\n")
    }

    private func next() throws -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                lines.append(line)
                return line
            }
            guard descriptor.waitReadable(milliseconds: TestClient.patience) else {
                throw TestFailure("no further line came: \(lines.joined(separator: "\n"))")
            }
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = read(descriptor.number, &bytes, bytes.count)
            if count <= 0 { return nil }
            unread += bytes[..<count]
        }
    }
}

/// A descriptor that a child takes over, closed here afterwards.
final class ClosableDescriptor {
    let number: Int32
    private var isOpen = true

    init(_ number: Int32) { self.number = number }

    func close() {
        if isOpen { Foundation.close(number) }
        isOpen = false
    }

    deinit { close() }
}

/// A run of `spschedd` that ends by itself: its exit code and what it said.
struct ShortRun {
    let code: Int32
    let output: String
    let errors: String

    init(_ arguments: [String]) throws {
        let process = try BuiltProcess("spschedd", arguments)
        output = process.rest()
        code = process.waitForEnd()
        errors = process.standardError
    }
}
