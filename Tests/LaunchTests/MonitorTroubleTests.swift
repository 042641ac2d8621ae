import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO
import Testing

/// Goal: whatever a QMP peer does, the person learns what it was, and no turn is kept beyond its lease. Method: as
/// `LaunchTests`, with peers that close, lie, stall and talk.
@Suite(.timeLimit(.minutes(10)))
struct MonitorTroubleTests {
    private static let longText = String(repeating: "x", count: 70_000)

    @Test(
        arguments: [
            (["wait"], "has not greeted for 1.0 s"),
            (["hang-up", "pause"], "closed the monitor before its greeting"),
            (["raw:SSH-2.0-OpenSSH_9.2\r\n", "wait"], "not with \"SSH-2.0"),
            (["raw:]", "wait"], "is not QMP"),
            ([#"say:{"return": {}}"#, "wait"], "something else than a greeting"),
            ([#"say:{"hello": 1, "world": 2}"#, "wait"], "none of QMP, return, error and event"),
            ([#"say:{"QMP" 1}"#, "wait"], "is not JSON"),
            (["raw:" + String(repeating: #"{"a": "#, count: 40), "wait"], "nests too deeply"),
            ([#"raw:{"QMP": ""# + longText, "wait"], "more than 65536 bytes"),
            (
                [LaunchScene.greeting, "hear:qmp_capabilities", #"error:no \u001b[31mred"#, "wait"],
                #"no \u{1B}[31mred"#
            ),
            ([LaunchScene.greeting, "hear:qmp_capabilities", LaunchScene.greeting, "wait"], "a second greeting"),
            ([LaunchScene.greeting, "hear:qmp_capabilities", #"say:{"return": {}, "id": 7}"#, "wait"], "not asked"),
            ([LaunchScene.greeting, "hear:qmp_capabilities", #"say:{"return": {}}"#, "wait"], "not asked"),
            ([LaunchScene.greeting, "hear:qmp_capabilities", "wait"], "silent for 1.0 s instead of answering"),
            ([LaunchScene.greeting, #"flood:{"event": "NOISE"}"#], "silent for 1.0 s instead of answering"),
            ([LaunchScene.greeting, "answer:qmp_capabilities={}", "answer:query-uuid=[]", "wait"], "without a UUID"),
            (
                LaunchScene.introduction.dropLast() + [#"answer:query-status={"running": 1}"#, "wait"],
                "without a status"
            ),
        ] as [([String], String)])
    func `A peer that is no monitor is told as what it is, and no turn is taken`(
        steps: [String], words: String
    ) throws {
        let scene = try LaunchScene()
        try scene.monitor(steps)
        // Long enough for a busy machine, where the peer is not to be waited for.
        let patience = words.contains("1.0 s") ? "1" : "60"
        let ending = Ending(try scene.launch(pages: 20_000, arguments: ["--patience-seconds", patience]))
        #expect(ending.status == EX_PROTOCOL, "\(ending)")
        #expect(ending.errors.contains(words) && ending.errors.contains("was not told to run"), "\(ending)")
        #expect(ending.errors.utf8.count < 1_000 && !ending.errors.contains("\u{1B}"))
        #expect(try scene.comes { $0.turn == nil && $0.registeredVMs == 0 && $0.counters.overdueTurns == 0 })
    }

    @Test func `Nobody at the socket is told with what to start QEMU with`() throws {
        let scene = try LaunchScene()
        let ending = Ending(try scene.launch(arguments: ["--patience-seconds", "1"]))
        #expect(ending.status == EX_PROTOCOL && ending.errors.contains("-qmp unix:PATH"), "\(ending)")
        #expect(!ending.errors.contains("?."), "\(ending)")
    }

    @Test func `A monitor that does not listen yet is waited for`() throws {
        let scene = try LaunchScene()
        let launch = try scene.launch(arguments: ["--patience-seconds", "600"])
        try scene.monitor(LaunchScene.introduction + ["hear:cont"] + LaunchScene.running)
        let ending = Ending(launch)
        #expect(ending.status == 0, "\(ending)")
    }

    @Test func `A VM that somebody else let run before its turn is no success, and keeps no turn`() throws {
        let scene = try LaunchScene()
        var steps = LaunchScene.introduction
        steps.insert(LaunchScene.resumed, at: steps.count - 1)
        try scene.monitor(steps + ["wait"])
        let ending = Ending(try scene.launch())
        #expect(ending.status == EX_DATAERR && ending.errors.contains("somebody else let the VM run"), "\(ending)")
        #expect(try scene.comes { $0.turn == nil && $0.registeredVMs == 0 && $0.counters.overdueTurns == 0 })
    }

    // MARK: While it waits

    /// One launch has the turn; another waits behind it.
    private func behindAnother(
        _ steps: [String], pages: Int = 40
    ) throws -> (scene: LaunchScene, first: Program, holder: BuiltProcess, second: Program, waiting: BuiltProcess) {
        let scene = try LaunchScene()
        let first = try scene.monitor(
            LaunchScene.introduction + ["hear:cont", "pause"] + LaunchScene.running, at: "first")
        let holder = try scene.launch("first", pages: 20_000)
        try first.heard("cont")
        let second = try scene.monitor(LaunchScene.introduction + steps, at: "second")
        let waiting = try scene.launch("second", pages: pages)
        #expect(try scene.comes { $0.queues.launchSessions == 2 })
        return (scene, first, holder, second, waiting)
    }

    @Test(arguments: [
        ("hang-up", EX_PROTOCOL, "closed the monitor before the VM's turn"),
        ("say:nonsense", EX_PROTOCOL, "is not QMP"),
        (LaunchScene.resumed, EX_DATAERR, "somebody else let the VM run"),
    ])
    func `A VM that is lost while it waits gives its place up`(step: String, status: Int32, words: String) throws {
        let (scene, first, holder, second, waiting) = try behindAnother(["pause", step, "pause"])
        try second.say("on")
        let ending = Ending(waiting)
        #expect(ending.status == status && ending.errors.contains(words), "\(ending)")
        #expect(try scene.comes { $0.queues.launchSessions == 1 && $0.registeredVMs == 1 })
        try first.say("on")
        #expect(Ending(holder).status == 0)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `A signal before the VM's turn leaves it paused, and its place to others`(signal: Int32) throws {
        let (scene, first, holder, second, waiting) = try behindAnother(["wait"])
        waiting.signal(signal)
        let ending = Ending(waiting)
        #expect(ending.status == 128 + signal && ending.errors.contains("nothing was launched"), "\(ending)")
        #expect(try second.waitForEnd() == .exited(code: 0))
        #expect(try scene.comes { $0.queues.launchSessions == 1 && $0.registeredVMs == 1 })
        try first.say("on")
        #expect(Ending(holder).status == 0)
    }

    @Test func `Ctrl-C while spschedd does not answer is told with what was not done`() throws {
        let scene = try LaunchScene()
        try scene.monitor(LaunchScene.introduction + ["wait"])
        // It takes the connection, and says nothing.
        let silent = try UnixListener(path: scene.directory.file("silent"))
        let launch = try scene.launch(arguments: ["--socket", scene.directory.file("silent")])
        let hasAsked = silent.descriptor.waitReadable(milliseconds: 60_000)
        #expect(hasAsked)
        launch.signal(SIGINT)
        let ending = Ending(launch)
        #expect(ending.status == 128 + SIGINT, "\(ending)")
        #expect(ending.errors.contains("interrupted before the VM was told to run: nothing was launched"), "\(ending)")
        silent.descriptor.shutDown()
    }

    // MARK: After it was told to run

    @Test func `Ctrl-C while the VM launches leaves the turn to its lease, and says so`() throws {
        let scene = try LaunchScene()
        let monitor = try scene.monitor(LaunchScene.introduction + ["hear:cont", "wait"])
        let launch = try scene.launch(pages: 20_000)
        try monitor.heard("cont")
        launch.signal(SIGINT)
        let ending = Ending(launch)
        #expect(ending.status == 128 + SIGINT, "\(ending)")
        #expect(ending.errors.contains("it goes on") && ending.errors.contains("left to its lease"), "\(ending)")
        // Its connection is gone, and the turn is not.
        #expect(try scene.comes { $0.turn?.kind == "whole_launch" && $0.turn?.isOverdue == false })
        #expect(try scene.comes { _ in (try? scene.host.listVMs().first?.connections) == 0 })
        #expect(try scene.host.status().turn != nil)
    }

    @Test(arguments: [
        (["hang-up", "pause"], "closed the monitor before answering 'cont'"),
        (["say:nonsense", "pause"], "is not QMP"),
        ([#"say:{"return": {}, "id": 1}"#, "pause"], "not asked"),
    ])
    func `A peer that stops talking while the VM launches leaves the turn to its lease`(
        steps: [String], words: String
    ) throws {
        let scene = try LaunchScene()
        try scene.monitor(LaunchScene.introduction + ["hear:cont"] + steps)
        let ending = Ending(try scene.launch(pages: 20_000))
        #expect(ending.status == EX_IOERR && ending.errors.contains(words), "\(ending)")
        #expect(ending.errors.contains("left to its lease"))
        #expect(try scene.host.status().turn?.kind == "whole_launch")
    }

    @Test func `A launch that never ends costs the others its lease, and no more`() throws {
        let scene = try LaunchScene()
        let stalled = try scene.monitor(LaunchScene.introduction + ["hear:cont", "pause"], at: "stalled")
        let first = try scene.launch("stalled", pages: 1)
        try stalled.heard("cont")
        try scene.monitor(LaunchScene.introduction + ["hear:cont"] + LaunchScene.running, at: "next")
        let second = try scene.launch("next", pages: 1)
        let ending = Ending(first)
        #expect(ending.status == EX_IOERR && ending.errors.contains("has been silent for"), "\(ending)")
        #expect(ending.errors.contains("lease has ended"), "\(ending)")
        #expect(Ending(second).status == 0)
        #expect(try scene.host.status().counters.overdueTurns == 1)
    }

    @Test(
        arguments: [
            // QEMU exits when a launch command fails.
            ([], "QEMU ended while it launched the VM"),
            (["error:the firmware refused", "wait"], "QEMU refused 'cont': the firmware refused"),
            (
                ["return:{}", #"answer:query-status={"status": "prelaunch", "running": false}"#, "wait"],
                "never let run"
            ),
        ] as [([String], String)])
    func `A launch that failed is told as such, and its turn is free`(steps: [String], words: String) throws {
        let scene = try LaunchScene()
        try scene.monitor(LaunchScene.introduction + ["hear:cont"] + steps)
        let ending = Ending(try scene.launch(pages: 20_000))
        #expect(ending.status == EX_SOFTWARE && ending.errors.contains(words), "\(ending)")
        #expect(try scene.comes { $0.turn == nil && $0.registeredVMs == 0 })
    }

    @Test func `A peer that says that the VM runs, and then nonsense, is not believed`() throws {
        let scene = try LaunchScene()
        let steps = ["hear:cont", "return:{}", "hear:query-status", "say:nonsense", "wait"]
        try scene.monitor(LaunchScene.introduction + steps)
        let ending = Ending(try scene.launch(pages: 20_000))
        #expect(ending.status == EX_IOERR && ending.errors.contains("and no more"), "\(ending)")
        #expect(try scene.comes { $0.turn == nil && $0.registeredVMs == 0 })
    }
}
