import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

/// Each wrong thing a client can do is answered as the protocol says, or ends its connection with a reason in the
/// journal, while the turns of a neighbour go on.
@Suite("Bad input", .timeLimit(.minutes(10)))
struct BadInputTests {
    private func isError(_ message: DaemonMessage, _ code: ErrorCode) -> Bool {
        guard case .error(let reply) = message else { return false }
        return reply.code == Extensible(code) && !reply.text.isEmpty
    }

    private func isBusy(_ message: DaemonMessage, _ reason: BusyReason) -> Bool {
        guard case .busy(let reply) = message else { return false }
        return reply.reason == Extensible(reason) && !reply.text.isEmpty
    }

    /// A header with any numbers in it.
    private func header(type: UInt16, size: UInt16, tag: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for (value, width) in [(UInt64(type), 2), (UInt64(size), 2), (0, 4), (tag, 8)] {
            for shift in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(shift)))) }
        }
        return bytes
    }

    @Test("a record that is no message ends the connection, after an error, with the reason in the journal")
    func brokenFraming() throws {
        let records: [([UInt8], String)] = [
            ([1, 2, 3], "shorter than the 16-byte header"),
            ([], "shorter than the 16-byte header"),
            ([UInt8](repeating: 0xFF, count: 1_025), "longer than 1024 bytes"),
            (header(type: 4, size: 15, tag: 1), "size is below 16"),
            (header(type: 4, size: 64, tag: 1), "more than the record holds"),
        ]
        for (record, reason) in records {
            // One daemon each: it names one mistake of an account, and counts the rest.
            let daemon = try RunningDaemon()
            let neighbour = try Neighbour(daemon)
            let client = try daemon.enter("bad")
            try client.send(bytes: record)
            let last = try client.untilHangUp().last
            #expect(last.map { isError($0, .malformed) } == true, "\(reason): \(String(describing: last))")
            try daemon.errors.wait(for: reason)
            try neighbour.expectGrants()
            neighbour.end()
        }
    }

    @Test("a message of a wrong kind, size or direction, or without its tag, is an error under its tag")
    func wrongMessages() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("bad")
        let cases: [([UInt8], UInt64, ErrorCode)] = [
            (header(type: 0x7777, size: 16, tag: 70), 70, .unknownType),
            (header(type: 0x8005, size: 16, tag: 71), 71, .wrongDirection),
            (header(type: 4, size: 16, tag: 72), 72, .malformed),
            (header(type: 4, size: 32, tag: 0) + [UInt8](repeating: 0, count: 16), 0, .tagZero),
            (header(type: 4, size: 32, tag: 73) + [UInt8](repeating: 0xEE, count: 16), 73, .malformed),
        ]
        for (record, tag, code) in cases {
            try client.send(bytes: record)
            let reply = try #require(try client.receive())
            #expect(reply.tag == tag && isError(reply.message, code), "\(code): \(reply)")
        }
        try neighbour.expectGrants()
        try client.release(client.acquire(.report).turn)
    }

    @Test("what comes too early, twice, or out of order is an error, and the connection goes on")
    func outOfOrder() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.connect()
        #expect(isError(try client.ask(.acquire(Acquire(.report))), .helloExpected))
        #expect(isError(try client.ask(TestClient.register()), .helloExpected))
        try client.hello()
        #expect(isError(try client.ask(.acquire(Acquire(.report))), .notRegistered))
        #expect(isError(try client.ask(.hello(Hello(name: .empty))), .alreadyHello))
        guard case .registered = try client.ask(TestClient.register()) else { throw TestFailure("not registered") }
        #expect(isError(try client.ask(TestClient.register()), .alreadyRegistered))
        #expect(isError(try client.ask(.hello(Hello(name: .empty))), .alreadyHello))
        try neighbour.expectGrants()
        try client.release(client.acquire(.report).turn)
    }

    @Test("no common version is an error and the end")
    func version() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        #expect(
            isError(
                try client.ask(.hello(Hello(versionMin: 7, versionMax: 9, name: .empty))), .versionUnsupported))
        #expect(try client.receive() == nil)
    }

    /// A launch's first turn may be held for four seconds, and the floor waits longer: on a busy machine, too, nothing
    /// but what the test does ends a turn or a wait.
    private static let longLeases = "[planning_cost]\nlaunch_start = \"1s\"\n[arbiter]\nfloor_delay = \"10s\"\n"

    @Test("a turn or session that is not the VM's is an error, and its holder keeps it")
    func foreign() throws {
        let daemon = try RunningDaemon(configuration: Self.longLeases)
        let holder = try daemon.enter("holder")
        let session = try holder.beginLaunch(pages: 8)
        let turn = try holder.acquire(.launchStart).turn
        let thief = try daemon.enter("thief")
        #expect(isError(try thief.ask(.release(Release(turn))), .unknownTurn))
        #expect(isError(try thief.ask(.release(Release(TurnID(number: .max)))), .unknownTurn))
        #expect(isError(try thief.ask(.releaseAndAcquire(Release(turn), Acquire(.report))), .unknownTurn))
        #expect(isError(try thief.ask(.launchEnd(session, .running)), .noSession))
        try thief.send(.release(Release(turn)), tag: 0)
        let untagged = try #require(try thief.receive())
        #expect(untagged.tag == 0 && isError(untagged.message, .unknownTurn))
        #expect(try holder.ask(.release(Release(turn))) == .done)
        #expect(try holder.ask(.launchEnd(session, .running)) == .done)
    }

    @Test("commands that do not fit their session, and launches without bounds, are errors")
    func launches() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("bad")
        #expect(isError(try client.ask(.acquire(Acquire(.launchUpdate, units: 4))), .noSession))
        #expect(isError(try client.ask(.launchBegin(LaunchPlan(pages: 0))), .pagesOutOfBounds))
        #expect(isError(try client.ask(.launchBegin(LaunchPlan(pages: .max))), .pagesOutOfBounds))
        #expect(isError(try client.ask(.acquire(Acquire(.platformCommand))), .kindNotAllowed))
        #expect(isError(try client.ask(.acquire(Acquire(.report, units: 9))), .unitsOutOfBounds))
        let session = try client.beginLaunch(pages: 8)
        #expect(isError(try client.ask(.launchBegin(LaunchPlan(pages: 8))), .sessionAlreadyOpen))
        #expect(isError(try client.ask(.acquire(Acquire(.wholeLaunch, units: 8))), .kindDoesNotFitSession))
        #expect(isError(try client.ask(.launchEnd(SessionID(number: 99), .failed)), .unknownSession))
        #expect(try client.ask(.launchEnd(session, .failed)) == .done)
        try neighbour.expectGrants()
    }

    @Test("a second guest request of a VM is BUSY, and a reused tag is an error")
    func tags() throws {
        let daemon = try RunningDaemon(configuration: RunningDaemon.longLeases)
        let client = try daemon.enter("bad")
        let granted = try client.acquire(.report)
        #expect(isBusy(try client.ask(.acquire(Acquire(.report))), .oneRequestPerVM))
        try client.send(.acquire(Acquire(.report)), tag: 1)
        let reply = try #require(try client.receive())
        #expect(reply.tag == 1 && isError(reply.message, .tagReused))
        #expect(try client.ask(.release(Release(granted.turn))) == .done)
    }

    @Test("launches begun in a loop meet the launch bucket, with the time to come back")
    func launchLoop() throws {
        let daemon = try RunningDaemon(
            configuration: "[arbiter]\nlaunch_bucket_vm_rate = \"1ms\"\nlaunch_bucket_vm_burst = \"50ms\"")
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("bad")
        for _ in 0..<1_000 {
            let reply = try client.ask(.launchBegin(LaunchPlan(pages: 1)))
            if case .launchBegun(let session, _) = reply {
                #expect(try client.ask(.launchEnd(session, .failed)) == .done)
                continue
            }
            guard case .busy(let busy) = reply else { throw TestFailure("neither begun nor busy: \(reply)") }
            #expect(busy.reason == Extensible(.launchBucketVM))
            #expect(busy.retryAfter > .zero)
            #expect(busy.text.contains("50ms at once"))
            return try neighbour.expectGrants()
        }
        Issue.record("a thousand launches were begun at once")
    }

    @Test("garbage without end is answered for a while, then ends with a reason; the journal names it once")
    func garbage() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("bad")
        var sent: UInt64 = 0
        while sent < 100_000, try client.send(bytes: header(type: 0x7777, size: 16, tag: sent)) { sent += 1 }
        #expect(sent < 100_000)
        let line = try daemon.errors.wait(for: "mistakes in a short time")
        #expect(line.contains("Disconnected client \"test client\" (uid \(getuid()), pid \(getpid())"))
        #expect(daemon.errors.lines.count { $0.contains("A mistake of") } == 1)
        try neighbour.expectGrants()
    }

    @Test("a client that never reads its replies is disconnected for that")
    func neverReads() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("bad")
        // Each is well-formed and asks for a reply: no mistake of the protocol, only a queue that fills.
        while let sent = try? client.send(.release(Release(TurnID(number: 1)))), sent < 1_000_000 {}
        try daemon.errors.wait(for: "it does not read its replies")
        try neighbour.expectGrants()
    }

    @Test("a client that says nothing is disconnected after its time; one that said HELLO is not")
    func silence() throws {
        let daemon = try RunningDaemon(configuration: "[clients]\nhello_timeout = \"100ms\"")
        let polite = try daemon.connect()
        try polite.hello()
        let silent = try daemon.connect()
        #expect(try silent.receive() == nil)
        try daemon.errors.wait(for: "it did not say HELLO in time")
        guard case .registered = try polite.ask(TestClient.register()) else { throw TestFailure("not registered") }
    }

    @Test("descriptors that a client passes are refused or dropped, never kept")
    func descriptors() throws {
        let daemon = try RunningDaemon()
        let socket = try SeqpacketSocket.connect(to: daemon.socketPath)
        let memory = try FileDescriptor.memory(named: "stray")
        let before = try openFiles(of: daemon)
        for _ in 0..<200 { _ = try? socket.send([UInt8](repeating: 0, count: 16).span.bytes, passing: memory) }
        _ = try daemon.enter()
        // Of its own there may be a few more: these two connections, and a look for its device process.
        #expect(try openFiles(of: daemon) < before + 20)
    }

    @Test("a client that registers again and leaves its descriptor unread is disconnected; one that reads gets another")
    func unreadDescriptor() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let neighbour = try daemon.connect()
        try neighbour.enter("neighbour", wantsDescriptor: true)
        let hoarder = try daemon.connect()
        try hoarder.hello()
        for _ in 0..<2 {
            try hoarder.send(TestClient.register("hoarder", wantsDescriptor: true))
            try hoarder.send(.unregister)
        }
        try daemon.errors.wait(for: "it does not read its replies")
        #expect(try hoarder.untilHangUp().count == 2)
        #expect(try neighbour.ask(.unregister) == .done)
        guard case .registered(let again) = try neighbour.ask(TestClient.register(wantsDescriptor: true)) else {
            throw TestFailure("not registered")
        }
        #expect(again.carriesDescriptor)
    }

    private func openFiles(of daemon: RunningDaemon) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count
    }

    @Test("beside a request that waits, a hundred more are BUSY; when it is cancelled, so is it")
    func cancelled() throws {
        let daemon = try RunningDaemon(configuration: Self.longLeases)
        let holder = try daemon.enter("holder")
        let session = try holder.beginLaunch(pages: 8)
        let turn = try holder.acquire(.launchStart).turn
        let client = try daemon.enter("bad")
        let waiting = try client.send(.acquire(Acquire(.report)))
        for _ in 0..<100 { #expect(isBusy(try client.ask(.acquire(Acquire(.report))), .oneRequestPerVM)) }
        try client.send(.cancel(tag: waiting), tag: 0)
        #expect(isBusy(try client.reply(to: waiting), .cancelled))
        #expect(try holder.ask(.release(Release(turn))) == .done)
        #expect(try holder.ask(.launchEnd(session, .running)) == .done)
    }
}
