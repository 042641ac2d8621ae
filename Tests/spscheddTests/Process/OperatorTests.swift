import Arbiter
import DaemonTestSupport
import Foundation
import LinuxIO
import ManagerProtocol
import Testing
import VMMProtocol

@Suite("For operators who ask why", .timeLimit(.minutes(10)))
struct OperatorTests {
    private func connect(_ daemon: RunningDaemon) throws -> ManagerClient {
        try ManagerClient.connect(to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
    }

    @Test("a refusal is explained by its reason, the VM that stood before, and when to come back")
    func explain() throws {
        let daemon = try RunningDaemon(configuration: RunningDaemon.longLeases)
        let holder = try daemon.enter("holder")
        // A launch of many pages, and no wait allowed.
        _ = try holder.beginLaunch(pages: 4_096)
        let turn = try holder.acquire(.launchStart)
        let guest = try daemon.connect()
        try guest.enter("guest", Registration(reservationWanted: .zero, guestWaitMax: .milliseconds(10)))
        for _ in 0..<3 {
            guard case .busy = try guest.ask(.acquire(Acquire(.report))) else { throw TestFailure("not refused") }
        }
        var manager = try connect(daemon)
        let answer = try manager.explain("guest")
        let refusal = try #require(answer.explanations.first?.refusals.first)
        #expect(refusal.reason == "launch_ahead" && refusal.times == 3 && refusal.holder == "VM \"holder\"")
        #expect(refusal.limit == "10ms" && refusal.retryAfterNanoseconds > 0)
        #expect(refusal.text.contains("VM \"holder\""))
        #expect(answer.explanations.first?.standing.refusalsInARow == 3)
        #expect(answer.explanations.first?.vm.state == .refused)
        let uuid = try #require(answer.explanations.first?.vm.uuid)
        // Both VMs bear the same UUID: it proves nothing.
        #expect(try manager.explain(uuid.uppercased()).explanations.count == 2)
        #expect(try manager.explain("0.1").explanations.map(\.vm.name) == ["holder"])
        try holder.release(turn.turn)
    }

    @Test("buckets are told: what a reservation holds, and when a limit permits the next request")
    func standing() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        try client.enter("vm", Registration(reservationWanted: .perSecond(1), limit: .perSecond(1), burst: 1))
        try client.release(client.acquire(.report).turn)
        var manager = try connect(daemon)
        let standing = try #require(try manager.explain("vm").explanations.first?.standing)
        #expect(standing.reservedRequests == 0 && (1...1_000_000_000).contains(standing.reservationOpensNanoseconds))
        // Within a retry quantum of its limit it still may.
        #expect(standing.limitOpensNanoseconds == 0)
    }

    @Test("a VM that was not admitted is explained too, and one that nobody knows is an error")
    func rejected() throws {
        let daemon = try RunningDaemon(configuration: "[account]\nvms_max = 1\n")
        let first = try daemon.enter("first")
        let second = try daemon.connect()
        try second.hello()
        for _ in 0..<2 { _ = try second.ask(TestClient.register("second")) }
        var manager = try connect(daemon)
        let answer = try manager.explain("second")
        let rejection = try #require(answer.rejections.first)
        #expect(answer.explanations.isEmpty && rejection.code == "accountVMs" && rejection.times == 2)
        #expect(rejection.text.contains("account.vms_max"))
        #expect {
            try manager.explain("third")
        } throws: { error in
            guard case ManagerClientError.refused(ManagerInterface.noSuchVMError, _)? = error as? ManagerClientError
            else { return false }
            return true
        }
        withExtendedLifetime(first) {}
    }

    @Test("who watches hears of each change as it happens")
    func watch() throws {
        let daemon = try RunningDaemon()
        var client: TestClient?
        var watcher = try connect(daemon)
        var seen: [ManagedChangeKind] = []
        try watcher.watch { watched in
            guard let change = watched.change, watched.lost == nil else { return false }
            seen.append(change.kind)
            // Each change is caused by the one before: nothing is waited for.
            do {
                switch change.kind {
                case .watching:
                    client = try daemon.enter("web")
                case .vmRegistered:
                    try client?.launch(pages: 1)
                case .launchEnded:
                    var other = try connect(daemon)
                    #expect(try other.drain() == false && other.drain() == true)
                case .draining:
                    _ = try client?.ask(.acquire(Acquire(.report)))
                case .refused:
                    #expect(change.vm == "web" && change.reason == "draining")
                    var other = try connect(daemon)
                    #expect(try other.resume() == false && other.resume() == true)
                case .resumed: return false
                default: break
                }
            } catch {
                Issue.record("\(error)")
                return false
            }
            return true
        }
        #expect(seen == [.watching, .vmRegistered, .launchBegan, .launchEnded, .draining, .refused, .resumed])
    }

    @Test("a watcher that does not read is told how much it lost, and holds up nobody")
    func slowWatcher() throws {
        let daemon = try RunningDaemon()
        let socket = try StreamSocket.connect(to: daemon.managerPath, isNonblocking: false)
        _ = try socket.send((Array(#"{"method":"io.spschedd.Manager.Watch","more":true}"#.utf8) + [0])[...])
        // It reads the first reply, to be a watcher for sure, and then nothing for a while.
        var buffer = [UInt8](repeating: 0, count: 65_536)
        _ = try socket.receive(into: &buffer)
        let client = try daemon.connect()
        try client.hello()
        // Far more changes than kernel, output and ring hold together.
        for _ in 0..<1_500 {
            guard case .registered = try client.ask(TestClient.register("x")) else {
                throw TestFailure("not registered")
            }
            _ = try client.ask(.unregister)
        }
        var text = ""
        while !text.contains("\"lost\":") {
            guard case .bytes(let count) = try socket.receive(into: &buffer) else { throw TestFailure("it hung up") }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    @Test("a drained host admits nobody and serves no guest, and lets launches end")
    func drain() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.enter("launching")
        let session = try client.beginLaunch(pages: 1)
        var manager = try connect(daemon)
        #expect(try manager.drain() == false)
        #expect(try manager.status().isDraining)
        for kind in [CommandKind.launchStart, .launchUpdate, .launchFinish] {
            try client.release(client.acquire(kind).turn)
        }
        #expect(try client.ask(.launchEnd(session, .running)) == .done)
        guard case .busy(let busy) = try client.ask(.acquire(Acquire(.report))) else { throw TestFailure("served") }
        #expect(busy.reason == Extensible(.draining))
        guard case .busy = try client.ask(.launchBegin(LaunchPlan(pages: 1))) else { throw TestFailure("launched") }
        #expect(client.unsolicited.contains(.draining(true)))

        let late = try daemon.connect()
        try late.hello()
        guard case .error(let reply) = try late.ask(TestClient.register("late")) else { throw TestFailure("admitted") }
        #expect(reply.code == Extensible(.draining))
        #expect(late.unsolicited.contains(.draining(true)))

        #expect(try manager.resume() == false)
        guard case .registered = try late.ask(TestClient.register("late")) else { throw TestFailure("not admitted") }
        try client.release(client.acquire(.report).turn)
        try daemon.errors.wait(for: "drains this host no longer")
    }

    @Test("metrics count what happened")
    func metrics() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.enter("a \"b\"")
        try client.release(client.acquire(.report).turn)
        var manager = try connect(daemon)
        let lines = try manager.metrics().split(separator: "\n")
        #expect(lines.last == "# EOF")
        for line in [
            "spschedd_grants_total 1", "spschedd_vms 1", #"spschedd_vm_grants_total{slot="0",vm="a \"b\""} 1"#,
            #"spschedd_device_state{spschedd_device_state="absent"} 1"#, "spschedd_registrations_total 1",
            #"spschedd_refusals_total{reason="limit"} 0"#, "spschedd_draining 0",
        ] { #expect(lines.contains(Substring(line)), "\(line)") }
    }
}
