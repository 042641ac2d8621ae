import DeviceTestSupport
import Foundation
import LinuxIO

/// A program that is told tasks on its standard input and answers in lines. Killed when the last reference goes.
public final class Program {
    /// Longer than any answer takes, and far from for ever.
    public static let patienceMilliseconds: Int32 = 60_000

    private let name: String
    private var process: ChildProcess?
    private var input: Int32
    private let output: FileDescriptor
    private var unread: [UInt8] = []

    /// - Parameters:
    ///   - name: of one of this package's programs.
    ///   - processor: the only one that it may run on; `nil`: all. Started by root it goes before all others there, so
    ///     that what else the machine does is not taken for the attack.
    ///   - errors: where its standard error goes; `nil`: where this process's does.
    public init(
        _ name: String, _ arguments: [String], processor: Int? = nil, environment: [String] = [], errors: String? = nil
    ) throws {
        self.name = name
        let (toRead, toWrite) = try Self.pipe()
        let (outcome, answers) = try Self.pipe()
        input = toWrite
        output = FileDescriptor(adopting: outcome)
        var errorFile: Int32?
        if let errors {
            let file = creat(errors, 0o600)
            guard file >= 0 else { throw ProcessError("cannot create \(errors): errno \(errno)") }
            errorFile = file
        }
        let path = BuiltProcess.path(of: name)
        let first = getuid() == 0 ? ["/usr/bin/nice", "-n", "-20"] : []
        let pinned = processor.map { first + ["/usr/bin/taskset", "-c", "\($0)", path] } ?? [path]
        process = try ChildProcess.spawn(
            pinned[0], pinned.dropFirst() + arguments, environment: ChildProcess.currentEnvironment() + environment,
            descriptors: [toRead, answers, errorFile])
        for descriptor in [toRead, answers, errorFile ?? -1] where descriptor >= 0 { close(descriptor) }
    }

    deinit { closeInput() }

    public var pid: Int32 { process?.pid ?? -1 }

    public func signal(_ number: Int32) { process?.send(signal: number) }

    public func say(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        guard write(input, bytes, bytes.count) == bytes.count else {
            throw ProcessError("\(name) takes no more tasks: errno \(errno)")
        }
    }

    public func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// The next line of its standard output.
    public func line() throws -> String {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line
            }
            guard output.waitReadable(milliseconds: Self.patienceMilliseconds) else {
                throw ProcessError("\(name) has said nothing for \(Self.patienceMilliseconds / 1_000) s")
            }
            var bytes = [UInt8](repeating: 0, count: 64 * 1024)
            let count = read(output.number, &bytes, bytes.count)
            guard count > 0 else { throw ProcessError("\(name) has ended before it was asked to") }
            unread += bytes[..<count]
        }
    }

    /// Whether it says something, or ends, within `milliseconds`.
    public func speaks(withinMilliseconds milliseconds: Int32) -> Bool {
        !unread.isEmpty || output.waitReadable(milliseconds: milliseconds)
    }

    /// The answer to a task.
    public func ask<Answer: Decodable>(_ task: String, _: Answer.Type = Answer.self) throws -> Answer {
        try say(task)
        return try answer()
    }

    /// The next line, decoded.
    public func answer<Answer: Decodable>(_: Answer.Type = Answer.self) throws -> Answer {
        let line = try line()
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(line.utf8))
        } catch {
            throw ProcessError("\(name) said \"\(line)\": \(error)")
        }
    }

    /// Waits for its end.
    public func waitForEnd() throws -> ChildProcess.Ending {
        guard let ending = process.take()?.wait(milliseconds: Self.patienceMilliseconds) else {
            throw ProcessError("\(name) does not end")
        }
        return ending
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw ProcessError("no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
