import CSystemd.Socket
import Foundation
import LinuxIO
import ManagerProtocol
import Testing

/// Goal: nothing is done to the platform unconfirmed, unlocked or with a wrong file; and the lock comes first. Method:
/// the program itself, against a socket of the test's own in the daemon's place.
@Suite struct PlatformCommandTests {
    @Test(arguments: [
        ["commit"], ["config", "--mask-chip-id"], ["vlek-load", "/dev/null"],
    ])
    func `Without --confirm nothing is done`(command: [String]) throws {
        let run = try CommandProcess(["platform"] + command + ["--manager-socket", "/nowhere"])
        #expect(run.waitForEnd() == EX_USAGE)
        #expect(run.standardError().contains("nothing was done") && run.standardOutput().isEmpty)
    }

    @Test func `A wrapped VLEK has 432 bytes, and a security version is a number`() throws {
        let short = try CommandProcess(
            ["platform", "vlek-load", "/dev/null", "--confirm", "--manager-socket", "/nowhere"])
        #expect(short.waitForEnd() == EX_DATAERR && short.standardError().contains("432 bytes, this 0"))
        let long = try CommandProcess(
            ["platform", "vlek-load", "/dev/zero", "--confirm", "--manager-socket", "/nowhere"])
        #expect(long.waitForEnd() == EX_DATAERR && long.standardError().contains("432 bytes, this more"))
        let wrong = try CommandProcess(["platform", "config", "--reported-tcb", "0xg", "--confirm"])
        #expect(wrong.waitForEnd() == EX_USAGE && wrong.standardError().contains("no security version"))
    }

    @Test func `A file of certificates that cannot be locked ends the command before anybody is asked`() throws {
        let run = try CommandProcess(
            ["platform", "commit", "--confirm", "--certificates", "/nowhere/certs", "--manager-socket", "/nowhere"])
        #expect(run.waitForEnd() == EX_NOINPUT && run.standardError().contains("/nowhere/certs"))
    }

    @Test func `The certificates are locked while the daemon is asked, and free afterwards`() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spschedctl-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let certificates = directory.appendingPathComponent("certs").path
        try Data("certificates".utf8).write(to: URL(fileURLWithPath: certificates))
        let configuration = directory.appendingPathComponent("spschedd.toml").path
        try Data("[device]\ncertificates = \"\(certificates)\"\n".utf8).write(to: URL(fileURLWithPath: configuration))
        let listener = try UnixListener(path: directory.appendingPathComponent("m").path, kind: .stream)

        let run = try CommandProcess([
            "platform", "commit", "--confirm", "--config", configuration, "--manager-socket",
            directory.appendingPathComponent("m").path,
        ])
        listener.descriptor.waitReadable()
        let accepted = try listener.accept(isNonblocking: false)
        guard let accepted else {
            Issue.record("nobody connected")
            return
        }
        let daemon = StreamSocket(adopting: accepted)
        #expect(try readCall(daemon).contains(#""confirm":true"#))
        let mine = try FileDescriptor.open(certificates, writable: true)
        #expect(linux_lock_open_file(mine.number) == -EAGAIN)
        _ = try daemon.send((Array(#"{"parameters":{"duration_ns":3000000}}"#.utf8) + [0])[...])
        #expect(run.waitForEnd() == 0)
        #expect(run.standardOutput() == "Done, in 3 ms.\n")
        #expect(linux_lock_open_file(mine.number) == 0)
    }

    @Test func `Whoever holds the certificates is waited for, and named`() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spschedctl-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let certificates = directory.appendingPathComponent("certs").path
        try Data("certificates".utf8).write(to: URL(fileURLWithPath: certificates))
        let arguments = [
            "platform", "commit", "--confirm", "--certificates", certificates, "--manager-socket", "/nowhere",
        ]
        do {
            let mine = try FileDescriptor.open(certificates, writable: true)
            try #require(linux_lock_open_file(mine.number) == 0)
            let patient = try CommandProcess(arguments)
            let line = try patient.errorLine()
            #expect(line.hasPrefix("spschedctl: waiting for \(certificates), at most 30 s. Locked by: "), "\(line)")
            #expect(line.contains("(pid \(getpid()))"), "\(line)")
            let impatient = try CommandProcess(arguments + ["--lock-wait", "0"])
            #expect(impatient.waitForEnd() == EX_TEMPFAIL)
            #expect(
                impatient.standardError().contains("could not lock \(certificates): Resource temporarily unavailable"))
            mine.close()
            // It has the lock then, and goes on to the daemon that is not there.
            #expect(patient.waitForEnd() == EX_UNAVAILABLE)
            #expect(patient.standardError().contains("/nowhere"))
        }
    }

    private func readCall(_ daemon: borrowing StreamSocket) throws -> String {
        var call: [UInt8] = []
        while call.last != 0 {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            guard case .bytes(let count) = try daemon.receive(into: &buffer) else { break }
            call += buffer[..<count]
        }
        return String(decoding: call, as: UTF8.self)
    }

    @Test func `What the daemon says of a failure is what the operator reads`() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spschedctl-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let socket = directory.appendingPathComponent("m").path
        let listener = try UnixListener(path: socket, kind: .stream)
        for (error, code) in [("PlatformFailed", EX_IOERR), ("PlatformBusy", EX_TEMPFAIL)] {
            let run = try CommandProcess(["platform", "status", "--manager-socket", socket])
            listener.descriptor.waitReadable()
            let accepted = try listener.accept(isNonblocking: false)
            guard let accepted else {
                Issue.record("nobody connected")
                return
            }
            let reply = #"{"error":"io.spschedd.Manager.\#(error)","parameters":{"text":"why, and what to do"}}"#
            let daemon = StreamSocket(adopting: accepted)
            _ = try readCall(daemon)
            _ = try daemon.send((Array(reply.utf8) + [0])[...])
            #expect(run.waitForEnd() == code)
            #expect(run.standardError() == "spschedctl: why, and what to do\n")
        }
    }
}
