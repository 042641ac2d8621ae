import Foundation

/// One of this package's programs, as a real process with its output in pipes. Killed when the last reference goes.
public final class BuiltProcess {
    private let process = Process()
    private let output = Pipe()
    private let errors: URL
    private let directory: TemporaryDirectory
    private var unread = Data()

    /// Starts `name` from the directory that the tests were built into, or an absolute path.
    public init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        errors = URL(fileURLWithPath: directory.file("stderr"))
        try Data().write(to: errors)
        process.executableURL = URL(fileURLWithPath: Self.path(of: name))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The tests' executable lies beside the programs. An absolute path is taken as it is.
    public static func path(of name: String) -> String {
        guard !name.hasPrefix("/") else { return name }
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent(name).path
    }

    public var identifier: Int32 { process.processIdentifier }

    /// The next line of its standard output; fails if it ends before.
    public func line() throws -> String {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread = Data(unread[(end + 1)...])
                return line
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw ProcessError("it ended before that; it said: \(standardError)") }
            unread += more
        }
    }

    public var standardError: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Everything more that it prints, once it has ended.
    public func rest() -> String {
        unread += output.fileHandleForReading.readDataToEndOfFile()
        return String(decoding: unread, as: UTF8.self)
    }

    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end. Its exit code, or the number of the signal that ended it, negated.
    public func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}
