import Arbiter
import DeviceTestSupport
import Foundation
import HostileSupport
import ManagerProtocol
import Testing

/// A real daemon, with fake monitors in the place of QEMUs, and runs of `spschedctl launch`.
final class LaunchScene {
    static let uuid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    /// What QEMU says before anything is asked.
    static let greeting =
        #"say:{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "#
        + #""capabilities": ["oob"]}}"#
    /// And until it is told to go on.
    static let introduction = [
        greeting, "answer:qmp_capabilities={}", #"answer:query-uuid={"UUID": "\#(uuid)"}"#,
        #"answer:query-name={"name": "web-3"}"#, #"answer:query-status={"status": "prelaunch", "running": false}"#,
    ]
    static let resumed =
        #"say:{"event": "RESUME", "timestamp": {"seconds": 1764147600, "microseconds": 250000}}"#
    static let running = [
        resumed, "return:{}", #"answer:query-status={"status": "running", "running": true}"#, "wait",
    ]

    let host: ServedHost
    let directory: TemporaryDirectory
    /// They live as long as the scene.
    private var monitors: [Program] = []

    init() throws {
        host = try ServedHost(configuration: "")
        directory = try TemporaryDirectory()
    }

    /// A monitor that listens.
    @discardableResult
    func monitor(_ steps: [String], at name: String = "qmp") throws -> Program {
        let monitor = try Program("fake-monitor", [directory.file(name)] + steps)
        #expect(try monitor.line() == "listening")
        monitors.append(monitor)
        return monitor
    }

    func launch(
        _ name: String = "qmp", pages: Int = 40, arguments: [String] = []
    ) throws -> BuiltProcess {
        try BuiltProcess(
            "spschedctl",
            ["launch", "--qmp", directory.file(name), "--pages", "\(pages)", "--socket", host.socketPath] + arguments)
    }

    /// Waits until the daemon's state is as wanted. Each look is a round trip.
    func comes(to isWanted: (ManagerStatus) -> Bool) throws -> Bool {
        try host.comes(within: .seconds(120)) { status, _ in isWanted(status) }
    }
}

/// How a run of `spschedctl launch` ended.
struct Ending {
    let status: Int32
    let output: String
    let errors: String

    init(_ process: BuiltProcess) {
        output = process.rest()
        status = process.waitForEnd()
        errors = process.standardError
    }
}

extension Program {
    /// Reads on until it has heard a command.
    func heard(_ command: String) throws { while try line() != "heard \(command)" {} }
}
