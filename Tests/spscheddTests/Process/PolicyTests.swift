import Arbiter
import DaemonTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

@Suite("Policies, as VMMs meet them", .timeLimit(.minutes(10)))
struct PolicyTests {
    /// A policy for whoever runs this test.
    private func daemon(_ keys: String) throws -> RunningDaemon {
        try RunningDaemon(configuration: "[policy.tests]\nusers = [\(getuid())]\n\(keys)\n")
    }

    @Test("REGISTERED says what was granted, and the journal what was clipped")
    func granted() throws {
        let daemon = try daemon("weight_max = 50\nreservation_max = \"0.5/s\"\nlimit_max = \"2/s\"\nburst_max = 2")
        let client = try daemon.connect()
        let granted = try client.enter("vm", Registration(weight: Weight(500)))
        #expect(granted.weight == Weight(50) && granted.burst == 2)
        #expect(granted.reservation == Rate(millihertz: 500) && granted.limit == .perSecond(2))
        let line = try daemon.errors.wait(for: "policy 'tests' clipped")
        #expect(line.contains("weight 500 to 50") && line.contains("limit none to 2/s"))
    }

    @Test("who is denied is turned away with the setting that says so")
    func denied() throws {
        let daemon = try daemon("access = \"denied\"")
        let client = try daemon.connect()
        guard case .error(let reply) = try client.receive()?.message else { throw TestFailure("not turned away") }
        #expect(reply.code == Extensible(.accessDenied) && reply.text.contains("policy.tests.access"))
        #expect(try client.receive() == nil)
    }

    @Test("caps of a policy stand in place of the account's, and are named")
    func caps() throws {
        let daemon = try daemon("connections_max = 3\nvms_max = 1\nlaunches_max = 1")
        let first = try daemon.enter("first")
        let second = try daemon.connect()
        try second.hello()
        guard case .error(let reply) = try second.ask(TestClient.register("second")) else {
            throw TestFailure("admitted")
        }
        #expect(reply.code == Extensible(.accountVMs) && reply.text.contains("policy.tests.vms_max"))
        let third = try daemon.connect()
        try third.hello()
        let fourth = try daemon.connect()
        guard case .error(let refused) = try fourth.receive()?.message else { throw TestFailure("not refused") }
        #expect(refused.code == Extensible(.accountConnections))
        #expect(refused.text.contains("policy.tests.connections_max"))
        withExtendedLifetime((first, third)) {}
    }

    @Test("a policy for others does not count for whom another names")
    func others() throws {
        let text = "[policy.me]\nusers = [\(getuid())]\n[policy.others]\naccess = \"denied\"\n"
        let daemon = try RunningDaemon(configuration: text)
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn)
    }

    @Test("a descriptor is withheld where the policy says so")
    func withheld() throws {
        for (choice, isGiven) in [("asked", true), ("withheld", false)] {
            let device = try RunningDaemon(
                device: "/dev/null",
                configuration: "[policy.tests]\nusers = [\(getuid())]\ndescriptor = \"\(choice)\"\n")
            let client = try device.connect()
            #expect(try client.enter("vm", wantsDescriptor: true).carriesDescriptor == isGiven)
        }
    }

    @Test("a descriptor that a client sends before it is accepted is refused, where the kernel can")
    func uninvited() throws {
        let daemon = try RunningDaemon()
        daemon.signal(SIGSTOP)
        defer { daemon.signal(SIGCONT) }
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let canRefuse = ends.second.descriptor.refuseDescriptors()
        let memory = try FileDescriptor.memory(named: "uninvited")
        let client = try SeqpacketSocket.connect(to: daemon.socketPath)
        let record: [UInt8] = [7]
        guard canRefuse else {
            let sent = try client.send(record.span.bytes, passing: memory)
            #expect(sent == .sent)
            return
        }
        let error = #expect(throws: SystemError.self) { try client.send(record.span.bytes, passing: memory) }
        #expect(error?.code == EPERM)
    }

    @Test("a user that there is not ends the start, with the setting and its place")
    func unknownUser() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).toml")
        defer { try? FileManager.default.removeItem(at: file) }
        try "[policy.p]\nusers = [\"no-such-user\"]\n".write(to: file, atomically: true, encoding: .utf8)
        let run = try ShortRun([
            "--config", file.path, "--socket", file.path + ".v", "--manager-socket", file.path + ".m",
        ])
        #expect(run.code == EX_CONFIG)
        #expect(run.errors.contains("\(file.path):2: policy.p.users: there is no user 'no-such-user'"), "\(run.errors)")
    }
}
