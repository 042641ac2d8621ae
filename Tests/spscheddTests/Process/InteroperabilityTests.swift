import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import Testing
import VMMProtocol

/// Goal: what others have written reads what the daemon says. Method: the Varlink project's Python client and
/// Prometheus's own parsers, which `scripts/setup interop` installs under .build.
///
/// Where they are missing, the tests say so and end; continuous integration (CI=1) insists on them.
@Suite("With others' programs", .timeLimit(.minutes(10)))
struct InteroperabilityTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let python = root.appending(path: ".build/interop/bin/python").path

    /// A VM that was refused for its limit, named as it likes.
    private func limited(_ daemon: RunningDaemon, _ name: String) throws -> TestClient {
        let client = try daemon.connect()
        try client.enter(name, Registration(reservationWanted: .zero, limit: Limits.leastRate, burst: 1))
        while case .granted(let granted) = try client.ask(.acquire(Acquire(.report))) {
            try client.release(granted.turn)
        }
        return client
    }

    /// What the script says, word by word; `nil` without Python's packages.
    private func run(_ script: String, _ arguments: [String], input: String = "") throws -> [String]? {
        guard FileManager.default.isExecutableFile(atPath: Self.python) else {
            let isRequired = ProcessInfo.processInfo.environment["CI"] != nil
            print("Not tested with others' programs: \(Self.python) is missing. scripts/setup interop installs it.")
            #expect(!isRequired, "continuous integration needs scripts/setup interop")
            return nil
        }
        let process = Process()
        let (output, stdin) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: Self.python)
        process.arguments = [Self.root.appending(path: "Tests/Interoperability/\(script)").path] + arguments
        process.standardOutput = output
        process.standardInput = stdin
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(script) said why on standard error")
        return said.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    @Test("a Varlink client that reads the interface by introspection is answered in everything")
    func varlink() throws {
        let daemon = try RunningDaemon()
        let client = try limited(daemon, "web \"1\" ü")
        guard let held = try run("varlink-client.py", [daemon.managerPath, "web \"1\" ü"]) else { return }
        #expect(
            held == ["Status", "ListVMs", "Explain", "Metrics", "Watch", "ReleaseDevice", "PlatformCommit"])
        withExtendedLifetime(client) {}
    }

    @Test("Prometheus's parsers read the metrics, and dashboard and rules name only what there is")
    func metrics() throws {
        let daemon = try RunningDaemon()
        let names = ["plain", "quo\"te", "back\\slash", "ünï \u{1F680}", "} 1"]
        let clients = try names.map { try limited(daemon, $0) }
        let (text, file) = (daemon.directory.file("metrics"), daemon.directory.file("spschedd.prom"))
        let ctl = ["--manager-socket", daemon.managerPath]
        let printed = try BuiltProcess("spschedctl", ["metrics"] + ctl)
        try printed.rest().write(toFile: text, atomically: false, encoding: .utf8)
        #expect(printed.waitForEnd() == 0)
        #expect(try BuiltProcess("spschedctl", ["metrics", "--textfile", file] + ctl).waitForEnd() == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o644)
        let monitoring = Self.root.appending(path: "packaging/monitoring").path
        let held = try run(
            "read-metrics.py",
            [text, file, "\(monitoring)/spschedd-dashboard.json", "\(monitoring)/spschedd.rules.yml"],
            input: names.joined(separator: "\n"))
        guard let held else { return }
        #expect(
            stride(from: 0, to: held.count, by: 2).map { held[$0] } == ["metrics", "textfile", "dashboard", "rules"])
        withExtendedLifetime(clients) {}
    }
}
