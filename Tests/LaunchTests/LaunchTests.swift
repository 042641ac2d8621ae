import DeviceTestSupport
import Foundation
import HostileSupport
import Testing

/// Goal: a VM of an unchanged QEMU is launched inside one turn, in its order, and nobody's trouble keeps a turn beyond
/// its lease. Method: the program and the daemon themselves; a scripted process in QEMU's place.
@Suite(.timeLimit(.minutes(10)))
struct LaunchTests {
    @Test func `The VM is told to run inside one turn of the whole launch, and nothing is left behind`() throws {
        let scene = try LaunchScene()
        let monitor = try scene.monitor(LaunchScene.introduction + ["hear:cont", "pause"] + LaunchScene.running)
        let launch = try scene.launch(arguments: ["--uuid", LaunchScene.uuid.uppercased(), "--json"])
        try monitor.heard("cont")
        let during = try scene.host.status()
        #expect(during.turn?.kind == "whole_launch" && during.turn?.vm == "web-3")
        #expect(try scene.host.listVMs().first?.uuid == LaunchScene.uuid)
        try monitor.say("on")
        let ending = Ending(launch)
        #expect(ending.status == 0, "\(ending.errors)")
        let result = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
        #expect(result["state"] as? String == "running" && result["turn"] as? Bool == true)
        #expect(result["name"] as? String == "web-3" && result["uuid"] as? String == LaunchScene.uuid)
        #expect(result["resumed_unix_ns"] as? Int64 == 1_764_147_600_250_000_000)
        let after = try scene.host.status()
        #expect(after.turn == nil && after.registeredVMs == 0)
        #expect(after.counters.launches == 1 && after.counters.grants == 1 && after.counters.overdueTurns == 0)
    }

    @Test func `Launches are served in the order in which they asked, one at a time`() throws {
        let scene = try LaunchScene()
        let names = ["a", "b", "c", "d"]
        let monitors = try names.map {
            try scene.monitor(LaunchScene.introduction + ["hear:cont", "pause"] + LaunchScene.running, at: $0)
        }
        var launches: [BuiltProcess] = []
        for (index, name) in names.enumerated() {
            launches.append(try scene.launch(name))
            // The first has the turn; each further one waits before the next asks.
            if index == 0 { try monitors[0].heard("cont") }
            #expect(try scene.comes { $0.queues.launchSessions == index + 1 })
        }
        for index in names.indices {
            if index > 0 { try monitors[index].heard("cont") }
            for later in monitors[(index + 1)...] { try expectNotToldToRun(later) }
            try monitors[index].say("on")
            #expect(Ending(launches[index]).status == 0)
        }
        #expect(try scene.host.status().counters.launches == 4)
    }

    /// It has heard the questions before `cont`, and no more.
    private func expectNotToldToRun(_ monitor: Program) throws {
        while monitor.speaks(withinMilliseconds: 0) { #expect(try monitor.line() != "heard cont") }
    }

    @Test func `A guest that was done at once has been launched`() throws {
        let scene = try LaunchScene()
        try scene.monitor(LaunchScene.introduction + ["hear:cont", LaunchScene.resumed, "return:{}"])
        let launch = try scene.launch()
        let ending = Ending(launch)
        #expect(ending.status == 0 && ending.output.hasPrefix("web-3 is ended; it waited"), "\(ending)")
    }

    @Test func `A monitor that writes its messages on several lines is understood`() throws {
        let scene = try LaunchScene()
        let pretty = LaunchScene.greeting.replacing(",", with: ",\r\n    ")
        try scene.monitor([pretty] + LaunchScene.introduction.dropFirst() + ["hear:cont"] + LaunchScene.running)
        #expect(Ending(try scene.launch()).status == 0)
    }

    // MARK: Who is launched

    @Test(arguments: [
        (
            #"{"UUID": "0f1e2d3c-4b5a-6978-8796-000000000000"}"#, #"{"status": "prelaunch", "running": false}"#,
            "monitor?"
        ),
        (#"{"UUID": "\#(LaunchScene.uuid)"}"#, #"{"status": "running", "running": true}"#, "runs already"),
        (#"{"UUID": "\#(LaunchScene.uuid)"}"#, #"{"status": "paused", "running": false}"#, "not 'prelaunch'"),
    ])
    func `Another VM, or one that was launched before, is left alone`(
        uuid: String, status: String, words: String
    ) throws {
        let scene = try LaunchScene()
        try scene.monitor([
            LaunchScene.greeting, "answer:qmp_capabilities={}", "answer:query-uuid=\(uuid)",
            #"answer:query-name={}"#, "answer:query-status=\(status)", "wait",
        ])
        let ending = Ending(try scene.launch(arguments: ["--uuid", LaunchScene.uuid]))
        #expect(ending.status == EX_DATAERR && ending.errors.contains(words), "\(ending)")
        #expect(try scene.host.status().counters.grants == 0)
    }

    @Test func `A QEMU without a UUID is launched under the one that was said, and not without`() throws {
        let scene = try LaunchScene()
        let steps = LaunchScene.introduction.map {
            $0.replacing(LaunchScene.uuid, with: "00000000-0000-0000-0000-000000000000")
        }
        try scene.monitor(steps + ["wait"], at: "without")
        let without = Ending(try scene.launch("without"))
        #expect(without.status == EX_DATAERR && without.errors.contains("say --uuid"))
        try scene.monitor(steps + ["hear:cont"] + LaunchScene.running, at: "with")
        #expect(Ending(try scene.launch("with", arguments: ["--uuid", LaunchScene.uuid])).status == 0)
    }

    // MARK: spschedd

    @Test func `Without spschedd nothing is launched, or it is launched without a turn, as is wanted`() throws {
        let scene = try LaunchScene()
        let nowhere = ["--socket", scene.directory.file("nobody")]
        try scene.monitor(LaunchScene.introduction + ["wait"], at: "closed")
        let closed = Ending(try scene.launch("closed", arguments: nowhere))
        #expect(closed.status == EX_UNAVAILABLE && closed.errors.contains("nobody"), "\(closed)")
        try scene.monitor(LaunchScene.introduction + ["hear:cont"] + LaunchScene.running, at: "open")
        let open = Ending(try scene.launch("open", arguments: nowhere + ["--failure-mode", "open"]))
        #expect(open.status == 0 && open.output.contains("without a turn"), "\(open)")
    }

    @Test func `What spschedd refuses is told with its reason and nothing is launched`() throws {
        let scene = try LaunchScene()
        try scene.monitor(LaunchScene.introduction + ["wait"])
        let ending = Ending(try scene.launch(pages: 262_145))
        #expect(ending.status == EX_DATAERR && ending.errors.contains("pages"), "\(ending)")
        #expect(try scene.host.status().counters.launches == 0)
    }

    @Test(
        arguments: [
            ([], "either --qmp or --libvirt"), (["--qmp", "x", "--libvirt", "y"], "either --qmp or --libvirt"),
            (["--qmp", "x", "--uuid", "12"], "no UUID"), (["--libvirt=-x"], "no domain"),
            (["--libvirt", "x", "--uuid", LaunchScene.uuid], "--uuid goes with --qmp"),
            (["--qmp", "x", "--connect", "qemu:///system"], "--connect goes with"),
            (["--qmp", "x", "--patience-seconds", "0"], "1 to 3600"), (["--qmp", "x", "--vcpus", "0"], "one vCPU"),
            (["--qmp", "x", "--failure-mode", "shut"], "failure-mode"),
        ] as [([String], String)])
    func `A wrong option is named, with what would be right`(arguments: [String], sentence: String) throws {
        let ending = Ending(try BuiltProcess("spschedctl", ["launch", "--pages", "10"] + arguments))
        #expect(ending.status == EX_USAGE && ending.errors.contains(sentence), "\(ending)")
    }
}
