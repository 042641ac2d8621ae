import DeviceProtocol
import Glibc
import LinuxIO

/// An `sp-emulator` that listens, in a directory of its own.
public final class RunningEmulator {
    public let directory: TemporaryDirectory
    public let process: BuiltProcess
    public var socketPath: String { directory.file("sp") }
    public var tracePath: String { directory.file("trace.csv") }

    public init(
        in directory: TemporaryDirectory? = nil, arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        process = try BuiltProcess(
            "sp-emulator",
            ["--socket", directory.file("sp"), "--trace", directory.file("trace.csv"), "--seed", "5"] + arguments,
            environment: environment)
        let ready = try process.line()
        guard ready == "ready: \(directory.file("sp"))" else { throw ProcessError("unexpected first line: \(ready)") }
    }

    public func connect(_ label: String = "test") throws -> EmulatorConnection {
        let connection = try EmulatorConnection(path: socketPath)
        try connection.label(label)
        return connection
    }

    /// Ends it in order; its exit code and what it printed.
    public func terminate() -> (code: Int32, output: String) {
        process.signal(SIGTERM)
        let code = process.waitForEnd()
        return (code, process.rest())
    }

    /// The rows of the trace, without the heading. After `terminate`.
    public func trace() throws -> [[String]] {
        guard let file = fopen(tracePath, "r") else { throw ProcessError("no trace") }
        defer { fclose(file) }
        var rows: [[String]] = []
        var buffer = [CChar](repeating: 0, count: 512)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(
                decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            rows.append(line.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        }
        return Array(rows.dropFirst())
    }
}

extension EmulatorConnection {
    /// Asks for statistics until they are as wanted: how a test waits for what another connection has done.
    public mutating func waitUntil(_ isWanted: (EmulatorStatistics) -> Bool) throws {
        for _ in 0..<1_000_000 {
            if isWanted(try statistics()) { return }
        }
        throw ProcessError("the emulator never came to that state")
    }
}
