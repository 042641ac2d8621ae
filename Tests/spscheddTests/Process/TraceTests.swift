import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import RecordWords
import Testing
import VMMProtocol

@testable import TraceFormat

/// Goal: what a daemon decided under real clients comes out of its trace again, however the daemon ended.
@Suite("Traces", .timeLimit(.minutes(10)))
struct TraceTests {
    /// Few VMs, so that a file will do that is soon full, and soon read. Its last section is open for more.
    private static let small = "[clients]\nvms_max = 32\n[trace]\nsize_mib = 1"

    private struct Replayed {
        let code: Int32
        let output: String
        let errors: String

        init(_ arguments: [String]) throws {
            let process = try BuiltProcess("spschedctl", ["replay"] + arguments)
            output = process.rest()
            code = process.waitForEnd()
            errors = process.standardError
        }

        func integer(_ key: String) -> Int {
            output.firstMatch(of: try! Regex("\"\(key)\": ([0-9]+)", as: (Substring, Substring).self))
                .flatMap { Int($0.1) } ?? -1
        }
    }

    @Test("a daemon that is killed in the middle leaves a trace of which every decision comes out again")
    func killed() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.file("trace")
        let daemon = try RunningDaemon(configuration: Self.small, arguments: ["--trace", trace])
        let neighbour = try Neighbour(daemon, amongLaunches: true)
        let clients = try (0..<6).map { try BuiltProcess("StormClient", [daemon.socketPath, "\($0)"]) }
        for client in clients { #expect(try client.line() == "ready") }
        try neighbour.expectGrants(200)
        let launcher = try daemon.enter("launcher")
        _ = try launcher.beginLaunch(pages: 8)
        try neighbour.expectGrants(1)
        daemon.signal(SIGKILL)
        _ = try daemon.waitForEnd()

        #expect(try mode(of: trace) == 0o600)
        let replayed = try Replayed([trace, "--json"])
        #expect(replayed.code == 0, "\(replayed.output)\(replayed.errors)")
        #expect(replayed.output.contains("\"difference\": null"))
        #expect(replayed.output.contains("\"damage\": []"))
        #expect(replayed.integer("grants") >= 200)
        #expect(replayed.integer("registrations") >= 8)
        try otherViews(trace, directory)
        try altered(trace, directory)
        try hostile(trace, directory)
    }

    /// The same trace, looked at in the other ways.
    private func otherViews(_ trace: String, _ directory: TemporaryDirectory) throws {
        let lanes = try Replayed([trace, "--timeline", "--column", "1ms"])
        #expect(lanes.code == 0)
        #expect(lanes.output.contains("decisions came out as recorded"))
        #expect(lanes.output.contains("\nSP "))
        #expect(lanes.output.contains("\"neighbour\""))
        let configuration = directory.file("other.toml")
        try "[arbiter]\nguest_wait_max = \"1ms\"\nchunk_pages = 8\n[policy.x]\naccess = \"denied\"\n".write(
            toFile: configuration, atomically: false, encoding: .utf8)
        let report = directory.file("report.html")
        let compared = try Replayed([trace, "--with", configuration, "--report", report])
        #expect(compared.code == 0, "\(compared.errors)")
        #expect(compared.output.contains("Open-loop"))
        #expect(compared.output.contains("guest requests:"))
        #expect(compared.output.contains("NOT FELT: another chunk_pages than the 32 recorded"))
        // The line is broken somewhere.
        #expect(compared.output.replacing("\n", with: " ").contains("NOT FELT: 1 policy, since a trace does not know"))
        let page = try String(contentsOfFile: report, encoding: .utf8)
        #expect(page.contains("<svg") && page.contains("Who had the Secure Processor"))
        try "[arbiter]\nguest_wait = \"1ms\"\n".write(toFile: configuration, atomically: false, encoding: .utf8)
        let misspelt = try Replayed([trace, "--with", configuration])
        #expect(misspelt.code == EX_CONFIG)
        #expect(misspelt.errors.contains("did you mean arbiter.guest_wait"))
    }

    /// The canary: a trace of which one decision was altered does not pass.
    private func altered(_ trace: String, _ directory: TemporaryDirectory) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: trace)))
        try Forgery.alterLastGrant(in: &bytes)
        let forged = directory.file("forged")
        try Data(bytes).write(to: URL(fileURLWithPath: forged))
        let replayed = try Replayed([forged])
        #expect(replayed.code == 1)
        #expect(replayed.output.contains("DIFFERENT at record"))
        #expect(replayed.output.contains("recorded:") && replayed.output.contains("came out:"))
    }

    /// A trace that somebody made to trouble its reader: its version drives a terminal, and its states are damaged.
    private func hostile(_ trace: String, _ directory: TemporaryDirectory) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: trace)))
        Forgery.setVersion("1\u{1B}[2J\u{9B}", in: &bytes)
        try Forgery.damageStates(in: &bytes)
        let forged = directory.file("hostile")
        try Data(bytes).write(to: URL(fileURLWithPath: forged))
        for arguments in [[forged], [forged, "--json"]] {
            let replayed = try Replayed(arguments)
            #expect(replayed.code == EX_DATAERR)
            #expect(
                !replayed.output.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
        }
        let lines = try Replayed([forged]).output.split(separator: "\n")
        #expect(lines.first?.contains(#"spschedd 1\u{1B}[2J\u{9B}, epoch"#) == true, "\(lines)")
        #expect(lines.dropFirst().first?.hasPrefix("DAMAGE at byte") == true, "\(lines)")
        #expect(lines.last == "Nothing could be replayed")
    }

    @Test(
        "what is no file is named as such, and nothing of it is read",
        arguments: [("/", EISDIR), ("/dev/zero", ESPIPE)])
    func noFile(path: String, reason: Int32) throws {
        let replayed = try Replayed([path])
        #expect(replayed.code == EX_NOINPUT)
        #expect(replayed.errors == "spschedctl: \(path) could not be read: \(String(cString: strerror(reason)))\n")
    }

    @Test("a ring that has wrapped, read while the daemon goes on writing, and after its end")
    func wrapped() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.file("trace")
        let daemon = try RunningDaemon(
            configuration: """
                \(Self.small)
                file = "\(trace)"
                """)
        let neighbour = try Neighbour(daemon)
        repeat { try neighbour.expectGrants(500) } while try segments(of: trace) <= 4
        let live = try Replayed([trace, "--json"])
        // The oldest segment may have been written over while it was read; nothing else may be wrong.
        #expect(live.output.contains("\"difference\": null"), "\(live.output)")
        neighbour.end()
        daemon.signal(SIGTERM)
        _ = try daemon.waitForEnd()
        let replayed = try Replayed([trace, "--json"])
        #expect(replayed.code == 0, "\(replayed.output)\(replayed.errors)")
        #expect(replayed.integer("segments") == 4)
        #expect(replayed.integer("calls") > 2_000)
    }

    @Test("nothing is recorded unless it is asked for")
    func offByDefault() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn)
        let files = try FileManager.default.contentsOfDirectory(atPath: daemon.directory.path)
        #expect(Set(files).isSubset(of: ["t.toml", "vmm", "manager"]), "\(files)")
        #expect(
            try ShortRun(["--check-config", "--config", daemon.directory.file("t.toml")]).output.contains(
                "file = \"none\""))
    }

    @Test(
        "the trace of the daemon before is kept; a file that is no trace is left alone, and VMs are served all the same"
    )
    func otherFiles() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.file("trace")
        for _ in 0..<2 {
            let daemon = try RunningDaemon(configuration: Self.small, arguments: ["--trace", trace])
            let client = try daemon.enter("vm")
            try client.release(client.acquire(.report).turn)
            let second = try RunningDaemon(configuration: Self.small, arguments: ["--trace", trace])
            try second.errors.wait(for: "another daemon writes to \(trace)")
            daemon.signal(SIGKILL)
            _ = try daemon.waitForEnd()
        }
        #expect(try Replayed([trace + ".previous"]).code == 0)
        #expect(try Replayed([trace]).code == 0)

        let precious = directory.file("precious")
        try "nothing to do with it".write(toFile: precious, atomically: false, encoding: .utf8)
        let daemon = try RunningDaemon(arguments: ["--trace", precious])
        try daemon.errors.wait(for: "\(precious) exists and is no trace; it is left alone")
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn)
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "nothing to do with it")
        let refused = try Replayed([precious])
        #expect(refused.code == EX_DATAERR)
        #expect(refused.errors.contains("\(precious), at byte 0: it does not begin with \"SPSTRACE\""))
        #expect(try Replayed([directory.file("absent")]).code == EX_NOINPUT)
    }

    @Test("a trace that is too small for the VMs there may be is refused, with the size that it takes")
    func tooSmall() throws {
        let directory = try TemporaryDirectory()
        let daemon = try RunningDaemon(
            configuration: "[trace]\nfile = \"\(directory.file("trace"))\"\nsize_mib = 1\n")
        try daemon.errors.wait(for: "with clients.vms_max at 1024 a trace needs at least 11. Raise it, or lower that")
        #expect(!FileManager.default.fileExists(atPath: directory.file("trace")))
    }

    private func mode(of path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    /// How many segments were begun.
    private func segments(of path: String) throws -> UInt64 {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        return (try? TraceFile(bytes))?.segments.last?.number ?? 0
    }
}

/// A trace with one decision altered, and a checksum that is right all the same.
enum Forgery {
    static func alterLastGrant(in bytes: inout [UInt8]) throws {
        let file = try TraceFile(bytes)
        var words = try file.source.words(0..<file.source.count)
        guard let segment = file.segments.last else { throw TestFailure("no segment") }
        var position = segment.range.lowerBound + TraceLimits.segmentHeaderWords
        var victim: Range<Int>?
        while position < segment.range.upperBound, let head = RecordHead(word: words[position]),
            words[position + 1] <= segment.lastRecord
        {
            // Its last seven words are then the grant.
            if head.kind == .call, head.decisions == 1, head.length > 12,
                words[position + head.length - 7] & 0xFF == 1
            {
                victim = position..<position + head.length
            }
            position += head.length
        }
        guard let victim else { throw TestFailure("no grant in the trace") }
        // Another turn than was granted.
        words[victim.upperBound - 3] += 1
        words[victim.lowerBound + 2] = words.checksum(victim)
        for word in victim { put(words[word], at: word, in: &bytes) }
    }

    /// The header claims another program's version.
    static func setVersion(_ version: String, in bytes: inout [UInt8]) {
        let text = 7..<7 + TraceLimits.programVersionBytes / 8
        let padded = Array(version.utf8) + [UInt8](repeating: 0, count: 8 * text.count - version.utf8.count)
        bytes.replaceSubrange(text.lowerBound * 8..<text.upperBound * 8, with: padded)
        var checksum = Checksum()
        for word in TraceInMemory(bytes).words(0..<text.upperBound) { checksum.add(word) }
        put(checksum.value, at: text.upperBound, in: &bytes)
    }

    /// No segment begins with a state that can be read.
    static func damageStates(in bytes: inout [UInt8]) throws {
        for segment in try TraceFile(bytes).segments {
            bytes[8 * (segment.range.lowerBound + TraceLimits.segmentHeaderWords + RecordHead.words + 1)] ^= 1
        }
    }

    private static func put(_ value: UInt64, at word: Int, in bytes: inout [UInt8]) {
        for byte in 0..<8 { bytes[word * 8 + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
    }
}
