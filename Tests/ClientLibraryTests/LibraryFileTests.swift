import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("The library as VMMs load it")
struct LibraryFileTests {
    @Test("libspsched.so.1 needs libc alone, has its soname, and exports exactly what its headers declare")
    func sharedObject() throws {
        let directory = try makeDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try run("/bin/bash", [sourceRoot.path + "/scripts/build-libspsched", "/opt/here", directory])
        let library = directory + "/libspsched.so.1"

        let dynamic = try run("/usr/bin/env", ["readelf", "--dynamic", "--wide", library])
        let needed = dynamic.split(separator: "\n").filter { $0.contains("(NEEDED)") }
        #expect(needed.count == 1)
        #expect(needed.first?.contains("[libc.so.6]") == true)
        #expect(dynamic.contains("Library soname: [libspsched.so.1]"))

        let symbols = try run("/usr/bin/env", ["nm", "--dynamic", "--defined-only", library])
        let exported = symbols.split(separator: "\n").compactMap { line -> String? in
            let columns = line.split(separator: " ")
            return columns.count == 3 && columns[1] == "T" ? String(columns[2].prefix { $0 != "@" }) : nil
        }
        #expect(Set(exported) == (try declared()))
        #expect(symbols.split(separator: "\n").count == exported.count + 1, "nothing else but the version itself")

        let description = try String(contentsOfFile: directory + "/spsched.pc", encoding: .utf8)
        #expect(description.contains("prefix=/opt/here\n"))
        #expect(description.contains("Version: \(String(cString: spsched_version()))\n"))
        #expect(!description.contains("@"))
    }

    @Test("a thread that may only send, receive, sleep and read the clock takes its turns; anything else would kill it")
    func seccomp() throws {
        let daemon = try FakeDaemon()
        let serving = Background { try obey(daemon.accept()) }
        let output = try run(buildDirectory + "/spsched-seccomp-probe", [daemon.path])
        try serving.value()
        #expect(output == "granted 912 refused 68 cancelled 20 unexpected 0\n")
    }

    @Test("the filter of four calls does kill a thread that makes a fifth")
    func seccompKills() throws {
        let daemon = try FakeDaemon()
        let serving = Background { try obey(daemon.accept()) }
        let failure = #expect(throws: Failure.self) {
            try run(buildDirectory + "/spsched-seccomp-probe", [daemon.path, "trip"])
        }
        try serving.value()
        #expect(failure?.description.contains("signal \(SIGSYS)") == true)
    }

    /// Every function that the headers declare with `SPSCHED_API`.
    private func declared() throws -> Set<String> {
        var names: Set<String> = []
        for header in ["spsched.h", "spsched_kvm.h"] {
            let path = sourceRoot.path + "/Sources/libspsched/include/" + header
            let text = try String(contentsOfFile: path, encoding: .utf8)
            names.formUnion(text.matches(of: /SPSCHED_API [^;(]*?(spsched_\w+)\(/).map { String($0.output.1) })
        }
        return names
    }
}

/// Where the test's own program lies, and with it the executables of the package.
private var buildDirectory: String {
    URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path
}

/// Serves the probe until it hangs up: every seventh report is busy, and other guest requests wait until cancelled.
private func obey(_ connection: Connection) throws {
    try connection.welcome()
    try connection.admit()
    var (turn, reports) = (UInt64(0), 0)
    while let (tag, message) = try connection.receive() {
        switch message {
        case .acquire(let acquire) where acquire.kind == .otherGuestRequest: continue
        case .acquire(let acquire), .releaseAndAcquire(_, let acquire):
            if acquire.kind == .report { reports += 1 }
            if acquire.kind == .report, reports.isMultiple(of: 7) {
                try connection.refuse(tag)
            } else {
                turn += 1
                try connection.grant(tag, turn: turn, kind: acquire.kind)
            }
        case .cancel(let cancelled): try connection.refuse(cancelled, reason: .cancelled)
        case .launchBegin: try connection.send(.launchBegun(.init(number: 1), chunkPages: 32), tag: tag)
        case .launchEnd: try connection.send(.done, tag: tag)
        default: break
        }
    }
}

/// Runs a program to its end and returns what it printed; throws if it fails or is killed.
@discardableResult
private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
        let how = process.terminationReason == .exit ? "status" : "signal"
        throw Failure("\(program) ended with \(how) \(process.terminationStatus)")
    }
    return String(decoding: printed, as: UTF8.self)
}
