import Arbiter
import DeviceTestSupport
import Foundation
import HostileSupport

/// QEMUs that cannot be launched: each is told as what it is, and leaves nothing behind.
struct TroubleTrial {
    let scene: Scene

    func run() throws {
        let runs = try scene.machine("runs", isPaused: false)
        try expectStatus(EX_DATAERR, "runs already", runs)

        let other = try scene.machine("other")
        try expectStatus(EX_DATAERR, "is it the right monitor?", other, ["--uuid", runs.uuid])
        try expect(!other.hasSpoken, "another VM than was asked for runs")

        let waits = try scene.machine("waits", extra: ["-incoming", "defer"])
        try expectStatus(EX_DATAERR, "not 'prelaunch'", waits)

        // What was left alone once can be launched later.
        let later = try scene.machine("later")
        try expectStatus(EX_UNAVAILABLE, "/nowhere/sock", later, ["--socket", "/nowhere/sock"])
        try expect(!later.hasSpoken, "a VM runs that nobody let run")
        try expectStatus(0, "", later)
        try later.waitUntilBooted()

        let dies = try scene.machine("dies")
        dies.process.signal(SIGKILL)
        _ = try dies.process.waitForEnd()
        try expectStatus(EX_PROTOCOL, "no QMP monitor", dies)
        try expect(
            try scene.host.comes(within: .seconds(60)) { status, _ in status.queues.launchSessions == 0 },
            "a launch was left behind")
    }

    private func expectStatus(
        _ status: Int32, _ words: String, _ machine: Machine, _ arguments: [String] = []
    ) throws {
        let launch = try scene.launch(machine.monitorPath, arguments)
        _ = launch.rest()
        let found = launch.waitForEnd()
        try expect(
            found == status && (words.isEmpty || launch.standardError.contains(words)),
            "\(machine.monitorPath): expected \(status) and '\(words)', got \(found): \(launch.standardError)")
    }
}
