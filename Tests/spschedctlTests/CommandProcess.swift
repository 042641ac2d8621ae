import CSystemd.Process
import Foundation
import Testing

/// One run of `spschedctl` with a private directory for everything that it makes.
final class CommandProcess {
    let directory: String
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    private var unread = Data()

    /// - Parameter isCopied: run a copy that stands alone in the private directory.
    init(_ arguments: [String], isCopied: Bool = false) throws {
        directory = "/tmp/spschedctl-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        var program = Self.program
        if isCopied {
            try FileManager.default.copyItem(atPath: program, toPath: "\(directory)/spschedctl")
            program = "\(directory)/spschedctl"
        }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments.map { $0 == "REPORT" ? "\(directory)/REPORT" : $0 }
        process.environment = ProcessInfo.processInfo.environment.merging(["XDG_RUNTIME_DIR": directory]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The tests' executable lies beside the programs.
    private static var program: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("spschedctl").path
    }

    func file(_ name: String) -> String { "\(directory)/\(name)" }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// The exit code, or the number of the signal that ended it, negated.
    func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Everything until nobody can write there any more.
    func standardOutput() -> String {
        String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    func standardError() -> String {
        unread += errors.fileHandleForReading.readDataToEndOfFile()
        return String(decoding: unread, as: UTF8.self)
    }

    /// The next line of standard error.
    func errorLine() throws -> String {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread = Data(unread[(end + 1)...])
                return line
            }
            let more = errors.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it ended before that: \(String(decoding: unread, as: UTF8.self))")
            unread += more
        }
    }

    /// Processes that were told of our directory, by number.
    func processesLeft() -> [Int32] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return numbers.compactMap(Int32.init).filter { number in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            return String(decoding: bytes, as: UTF8.self).contains("\(directory)/spschedd-demo")
        }
    }

    /// Waits for the end of each: the kernel kills them a moment after their parent.
    func waitUntilNoProcessIsLeft() {
        for number in processesLeft() {
            let descriptor = linux_pidfd_open(number)
            guard descriptor >= 0 else { continue }
            var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while poll(&state, 1, 60_000) < 0 && errno == EINTR {}
            #expect(state.revents != 0, "process \(number) lives on")
            close(descriptor)
        }
    }

    func expectNothingLeft() {
        #expect(processesLeft().isEmpty)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        #expect(files.filter { $0 != "REPORT" }.isEmpty)
    }
}
