import Arbiter
import DeviceTestSupport
import Foundation
import HostileSupport

/// Many QEMUs at once: they wait, silent, behind a launch that takes its time; then each has its turn.
struct CrowdTrial {
    let scene: Scene

    /// What `spschedctl launch --json` prints.
    private struct Result: Decodable {
        let name: String
        let state: String
        let turn: Bool
        let granted: Int64
        let resumed: Int64
        let returned: Int64

        enum CodingKeys: String, CodingKey {
            case name, state, turn
            case granted = "granted_unix_ns"
            case resumed = "resumed_unix_ns"
            case returned = "returned_unix_ns"
        }
    }

    func run(_ count: Int) throws {
        let machines = try (0..<count).map { try scene.machine("vm-\($0)") }
        let holder = try Program("fake-monitor", [scene.directory.file("holder")] + Self.longLaunch)
        try expect(try holder.line() == "listening", "no holder")
        let first = try scene.launch(scene.directory.file("holder"))
        while try holder.line() != "heard cont" {}

        var launches: [BuiltProcess] = []
        for machine in machines {
            launches.append(try scene.launch(machine.monitorPath, ["--uuid", machine.uuid]))
            // In the order of the machines: the next one asks when this one waits.
            let waits = try scene.host.comes(within: .seconds(60)) { status, _ in
                status.queues.launchSessions == launches.count + 1
            }
            try expect(waits, "a launch does not wait for its turn")
        }
        try expect(!machines.contains { $0.hasSpoken }, "a guest ran before its turn")
        try holder.say("on")
        try expect(first.waitForEnd() == 0, "the first launch failed: \(first.standardError)")
        try judge(try launches.map(result))
        for machine in machines { try machine.waitUntilBooted() }
    }

    /// A VM whose launch takes until a line comes on standard input.
    private static let longLaunch = [
        #"say:{"QMP": {"capabilities": []}}"#, "answer:qmp_capabilities={}",
        #"answer:query-uuid={"UUID": "00000000-0000-0000-0000-0000000000ff"}"#, "answer:query-name={}",
        #"answer:query-status={"status": "prelaunch", "running": false}"#, "hear:cont", "pause", "return:{}",
        #"answer:query-status={"status": "running", "running": true}"#, "wait",
    ]

    private func result(_ launch: BuiltProcess) throws -> Result {
        let output = launch.rest()
        try expect(launch.waitForEnd() == 0, "a launch failed: \(launch.standardError)")
        return try JSONDecoder().decode(Result.self, from: Data(output.utf8))
    }

    /// By QEMU's own clock, each VM was let run inside its turn; the turns follow each other in the order of asking.
    private func judge(_ results: [Result]) throws {
        var last: Int64 = 0
        for (index, result) in results.enumerated() {
            try expect(result.name == "vm-\(index)" && result.state == "running" && result.turn, "\(result)")
            // QEMU tells whole microseconds.
            let granted = result.granted / 1_000 * 1_000
            try expect(
                granted <= result.resumed && result.resumed <= result.returned,
                "\(result.name) was not let run inside its turn: \(result)")
            try expect(result.granted >= last, "\(result.name) had its turn beside another's: \(results)")
            last = result.returned
        }
    }
}
