import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO
import ManagerProtocol
import Testing
import VMMProtocol

/// Goal: a reload applies what can be applied, says what it did, and takes nothing from a VM. Method: a real daemon
/// with real files, real signals, and `spschedctl`.
@Suite("Reloading", .timeLimit(.minutes(10)))
struct ReloadTests {
    private func daemon(_ configuration: String = "") throws -> RunningDaemon {
        try RunningDaemon(configuration: configuration)
    }

    private func write(_ text: String, _ daemon: RunningDaemon) throws {
        try text.write(toFile: daemon.directory.file("t.toml"), atomically: true, encoding: .utf8)
    }

    private func connect(_ daemon: RunningDaemon) throws -> ManagerClient {
        try ManagerClient.connect(to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
    }

    private func reload(_ daemon: RunningDaemon, _ arguments: [String] = []) throws -> (
        code: Int32, output: String, errors: String
    ) {
        let process = try BuiltProcess("spschedctl", ["reload", "--manager-socket", daemon.managerPath] + arguments)
        let output = process.rest()
        return (process.waitForEnd(), output, process.standardError)
    }

    private static let onePerSecond = Registration(
        reservationWanted: .perSecond(1), reservationLeast: .perSecond(1), burst: 1)

    @Test("SIGHUP: RELOADING with the time in one message, then READY; the new value holds")
    func signal() throws {
        let daemon = try daemon()
        let before = MonotonicClock.microseconds()
        try write("[arbiter]\ncapacity = \"900ms\"\n", daemon)
        daemon.signal(SIGHUP)
        let reloading = try daemon.serviceManager.wait(for: "RELOADING=1")
        let time = try #require(reloading.first { $0.hasPrefix("MONOTONIC_USEC=") }?.split(separator: "=").last)
        #expect(try #require(UInt64(time)) >= before && UInt64(time)! <= MonotonicClock.microseconds())
        #expect(reloading.count == 2)
        try daemon.serviceManager.wait(for: "READY=1")
        try daemon.errors.wait(
            for: "arbiter.capacity was \"950ms\" and is \"900ms\" (\(daemon.directory.file("t.toml")):2)")
        var manager = try connect(daemon)
        let status = try manager.status()
        #expect(status.capacity.capacityNanoseconds == 900_000_000)
        #expect(
            status.configuration
                == ManagedConfiguration(files: [daemon.directory.file("t.toml")], reloads: 1))
    }

    @Test("policies count for whoever comes from then on, and a user that there is not changes nothing")
    func policies() throws {
        let daemon = try daemon()
        let before = try daemon.connect()
        try before.enter("before", Registration(weight: Weight(500)))
        try write("[policy.all]\nweight_max = 50\nvms_max = 2\n", daemon)
        let (code, output, _) = try reload(daemon)
        #expect(code == 0 && output.contains("policy.all"), "\(output)")
        let after = try daemon.connect()
        #expect(try after.enter("after", Registration(weight: Weight(500))).weight == Weight(50))
        try write("[policy.all]\nusers = [\"no-such-user\"]\n", daemon)
        let (status, _, errors) = try reload(daemon)
        #expect(status != 0 && errors.contains("t.toml:2: policy.all.users: there is no user 'no-such-user'"))
        try write("[policy.a]\nusers = [\"root\"]\n[policy.b]\nusers = [0]\n", daemon)
        let twice = try reload(daemon)
        #expect(twice.code == 78)
        #expect(
            twice.errors.contains("t.toml:4: policy.b.users: the user '0' is uid 0, whom policy 'a' names as 'root'"))
        let third = try daemon.connect()
        try third.hello()
        guard case .error(let reply) = try third.ask(TestClient.register("third")) else {
            throw TestFailure("admitted")
        }
        #expect(reply.text.contains("policy.all.vms_max"))
        try before.release(before.acquire(.report).turn)
    }

    @Test("who is denied keeps the VMs that are registered, and registers no other, on whatever connection")
    func denied() throws {
        let daemon = try daemon()
        let before = try daemon.connect()
        let promised = try before.enter("before", Self.onePerSecond)
        let idle = try daemon.connect()
        try idle.hello()
        try write("[policy.tests]\nusers = [\(getuid())]\naccess = \"denied\"\n", daemon)
        let (code, output, _) = try reload(daemon)
        #expect(code == 0 && output.contains("VMs that register from now on"), "\(output)")
        try daemon.errors.wait(
            for: "policy.tests was not there and is there (\(daemon.directory.file("t.toml")):1),"
                + " for VMs that register from now on")

        try expectDenied(idle)
        let again = try daemon.connect()
        let resumed = try again.enter("before", token: promised.token)
        #expect(resumed.isResumed && resumed.reservation == promised.reservation)
        try again.launch(pages: 1)
        let other = try daemon.connect()
        try other.hello()
        try expectDenied(other)

        #expect(try before.ask(.unregister) == .done)
        try expectDenied(before)
        let late = try daemon.connect()
        guard case .error(let reply) = try late.receive()?.message else { throw TestFailure("let in") }
        #expect(reply.code == Extensible(.accessDenied))
    }

    private func expectDenied(_ client: TestClient) throws {
        guard case .error(let reply) = try client.ask(TestClient.register("new")) else { throw TestFailure("admitted") }
        #expect(reply.code == Extensible(.accessDenied) && reply.text.contains("policy.tests.access"))
        #expect(try client.untilHangUp().isEmpty)
    }

    @Test("who is denied and has no VM is disconnected by the reload, with the setting")
    func deniedWithoutVM() throws {
        let daemon = try daemon("[policy.tests]\nusers = [\(getuid())]\n")
        let idle = try daemon.connect()
        try idle.hello()
        try write("[policy.tests]\nusers = [\(getuid())]\naccess = \"denied\"\n", daemon)
        var manager = try connect(daemon)
        let change = try #require(try manager.reload().changes.first)
        #expect(change.key == "policy.tests.access" && change.applies == "new_registrations")
        guard case .error(let reply) = try idle.receive()?.message else { throw TestFailure("not told") }
        #expect(reply.code == Extensible(.accessDenied) && reply.text.contains("policy.tests.access"))
        #expect(try idle.receive() == nil)
        #expect(try manager.status().counters.protocolErrors == 0)
    }

    @Test("a file with a mistake changes nothing: status, journal and exit status say which key")
    func mistake() throws {
        let daemon = try daemon("[arbiter]\ncapacity = \"900ms\"\n")
        try write("[arbiter]\ncapacity = \"800ms\"\n\nhodl = \"5ms\"\n", daemon)
        let problem = "\(daemon.directory.file("t.toml")):4: arbiter.hodl: unknown key; did you mean arbiter.hold?"
        let result = try reload(daemon)
        #expect(result.code == 78 && result.output.isEmpty)
        #expect(result.errors == "spschedctl: \(problem)\n")
        try daemon.errors.wait(for: "The configuration has mistakes: the one before stays")
        try daemon.errors.wait(for: problem)
        let ready = try daemon.serviceManager.wait(for: "READY=1")
        #expect(ready.contains { $0.hasPrefix("STATUS=") && $0.contains("RELOAD FAILED: \(problem)") })
        var manager = try connect(daemon)
        let status = try manager.status()
        #expect(status.capacity.capacityNanoseconds == 900_000_000)
        #expect(status.configuration.failure == problem && status.configuration.reloads == 0)
        try write("", daemon)
        #expect(try reload(daemon).code == 0)
        #expect(try manager.status().configuration.failure == nil)
        #expect(try manager.status().capacity.capacityNanoseconds == 950_000_000)
    }

    @Test("a file that is gone, or a pipe in its place, changes nothing and holds nobody up")
    func noFile() throws {
        let daemon = try daemon()
        let file = daemon.directory.file("t.toml")
        #expect(unlink(file) == 0)
        #expect(try reload(daemon).errors.contains("\(file): could not be read: No such file or directory"))
        #expect(mkfifo(file, 0o600) == 0)
        #expect(try reload(daemon).errors.contains("\(file): is a pipe"))
        _ = try daemon.enter()
    }

    @Test("what would take from VMs what they were promised is refused, with the key and by how much")
    func refused() throws {
        let daemon = try daemon()
        let clients = try (0..<3).map { index in
            let client = try daemon.connect()
            try client.enter("vm \(index)", Self.onePerSecond)
            return client
        }
        try write("[arbiter]\ncapacity = \"222ms\"\nhold = \"4ms\"\n", daemon)
        let result = try reload(daemon)
        #expect(result.code == 78)
        #expect(
            result.errors.contains(
                "arbiter.capacity = \"222ms\" (\(daemon.directory.file("t.toml")):2), now \"950ms\": VMs were promised"
                    + " 22.5 ms of SP time a second, and 22 ms would be left for them, 500 us too little\n"))
        #expect(!result.errors.contains("arbiter.hold"))
        try daemon.errors.wait(for: "The configuration would take from VMs what they were promised")
        var manager = try connect(daemon)
        #expect(try manager.status().capacity.capacityNanoseconds == 950_000_000)
        try clients[0].release(clients[0].acquire(.report).turn)
    }

    @Test("each change is told with when it counts: a VM keeps what it registered with, and a restart is named")
    func effects() throws {
        let daemon = try daemon()
        let old = try daemon.connect()
        let before = try old.enter("old")
        try write(
            """
            [arbiter]
            guest_wait_max = "100ms"
            launch_order = "shortest-first"
            [clients]
            vms_max = 7
            hello_timeout = "3s"
            [loop]
            spin = "1us"
            """, daemon)
        let result = try reload(daemon, ["--json"])
        #expect(result.code == 0)
        let reply = try JSONDecoder().decode(ReloadReply.self, from: Data(result.output.utf8))
        #expect(
            reply.changes.map { "\($0.key) \($0.was) \($0.now) \($0.applies)" } == [
                "arbiter.launch_order \"first-come-first-served\" \"shortest-first\" new_launches",
                "arbiter.guest_wait_max \"500ms\" \"100ms\" new_registrations", "clients.vms_max 1024 7 restart",
                "clients.hello_timeout \"5s\" \"3s\" new_connections", "loop.spin \"0s\" \"1us\" at_once",
            ])
        #expect(reply.changes.allSatisfy { $0.origin?.hasPrefix(daemon.directory.file("t.toml")) == true })
        let new = try daemon.connect()
        let after = try new.enter("new")
        #expect(before.guestWaitMax == .milliseconds(500) && after.guestWaitMax == .milliseconds(100))
        var manager = try connect(daemon)
        #expect(try manager.status().registeredVMsMax == 1_024)
        #expect(try manager.status().configuration.restartNeeded == ["clients.vms_max"])
        let again = try reload(daemon)
        #expect(again.output.contains("clients.vms_max") && again.output.contains("NOT YET: needs a restart"))
        #expect(!again.output.contains("guest_wait_max"))
        let status = try BuiltProcess("spschedctl", ["status", "--manager-socket", daemon.managerPath])
        let text = status.rest()
        #expect(text.contains("\nsettings    \(daemon.directory.file("t.toml")); reloaded 2 times\n"))
        #expect(text.contains("\nattention   a restart would apply clients.vms_max\n"))
    }

    @Test("nothing changed is said so, and the command line prevails over the files")
    func nothing() throws {
        let daemon = try daemon()
        try write("[vmm]\nsocket = \"/elsewhere\"\n", daemon)
        let result = try reload(daemon)
        #expect(result.output == "Read: \(daemon.directory.file("t.toml"))\nNothing has changed.\n")
    }

    @Test("operators who ask at once, and signals between, are all answered by what stands in the file then")
    func crowd() throws {
        let daemon = try daemon()
        try write("[arbiter]\nchunk_pages = 16\n", daemon)
        let processes = try (0..<6).map { _ in
            daemon.signal(SIGHUP)
            return try BuiltProcess("spschedctl", ["reload", "--manager-socket", daemon.managerPath])
        }
        for process in processes { #expect(process.waitForEnd() == 0) }
        let client = try daemon.connect()
        #expect(try client.hello().chunkPages == 16)
    }

    @Test("an operator who hangs up while the files are read leaves nothing behind")
    func abandoned() throws {
        let daemon = try daemon()
        for _ in 0..<40 {
            let socket = try StreamSocket.connect(to: daemon.managerPath)
            _ = try socket.send(Array(#"{"method":"io.spschedd.Manager.Reload"}"#.utf8) + [0])
        }
        #expect(try reload(daemon).code == 0)
    }

    @Test("a system's files are read again, and a drop-in that came is named")
    func places() throws {
        let directory = try TemporaryDirectory()
        let dropIns = directory.file("etc/spschedd/spschedd.toml.d")
        try FileManager.default.createDirectory(atPath: dropIns, withIntermediateDirectories: true)
        let serviceManager = try FakeServiceManager()
        let process = try ChildProcess.spawn(
            BuiltProcess.path(of: "spschedd"),
            [
                "--root", directory.file(""), "--socket", directory.file("vmm"), "--manager-socket",
                directory.file("manager"), "--device", directory.file("none"), "--device-socket",
                directory.file("probe"),
            ], environment: ChildProcess.currentEnvironment() + ["NOTIFY_SOCKET=\(serviceManager.path)"])
        try serviceManager.wait(for: "READY=1")
        try "[arbiter]\nchunk_pages = 8\n".write(toFile: "\(dropIns)/50-x.toml", atomically: true, encoding: .utf8)
        var manager = try ManagerClient.connect(
            to: directory.file("manager"), patienceMilliseconds: TestClient.patience)
        let reply = try manager.reload()
        #expect(reply.files == ["\(dropIns)/50-x.toml"])
        #expect(
            reply.changes == [
                ManagedSettingChange(
                    key: "arbiter.chunk_pages", was: "32", now: "8", applies: "at_once",
                    origin: "\(dropIns)/50-x.toml:2")
            ])
        process.send(signal: SIGTERM)
        #expect(process.wait(milliseconds: TestClient.patience) == .exited(code: 0))
    }

    @Test("a trace with reloads in it replays: what was refused is refused again")
    func trace() throws {
        let daemon = try RunningDaemon(arguments: ["--trace", "/tmp/spschedd-reload-\(getpid()).trace"])
        defer { unlink("/tmp/spschedd-reload-\(getpid()).trace") }
        let client = try daemon.connect()
        try client.enter("vm", Self.onePerSecond)
        for text in ["[arbiter]\ncapacity = \"201ms\"\n", "[arbiter]\nchunk_pages = 3\n", ""] {
            try write(text, daemon)
            _ = try reload(daemon)
            try client.release(client.acquire(.report).turn)
        }
        let replay = try BuiltProcess("spschedctl", ["replay", "/tmp/spschedd-reload-\(getpid()).trace"])
        let output = replay.rest()
        #expect(replay.waitForEnd() == 0, "\(output)\(replay.standardError)")
    }
}
