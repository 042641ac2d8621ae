import Arbiter
import DaemonTestSupport
import DeviceProtocol
import DeviceTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

@Suite("The device", .timeLimit(.minutes(10)))
struct DeviceTests {
    @Test("a character device is handed out open for reading only, once it is asked for")
    func characterDevice() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let client = try daemon.connect()
        #expect(try client.enter(wantsDescriptor: true).carriesDescriptor)
        guard let descriptor = client.takeDescriptor() else { throw TestFailure("no descriptor came") }
        let kind = try descriptor.kind()
        #expect(kind == .characterDevice)
        #expect(fcntl(descriptor.number, F_GETFL) & (O_ACCMODE | O_NONBLOCK) == O_RDONLY)
        let modest = try daemon.connect()
        #expect(try !modest.enter().carriesDescriptor)
    }

    @Test("an emulated device is handed out as a connection of the client's own")
    func emulator() throws {
        let emulator = try RunningEmulator()
        let daemon = try RunningDaemon(device: emulator.socketPath, configuration: RunningDaemon.longLeases)
        let client = try daemon.connect()
        #expect(try client.enter(wantsDescriptor: true).carriesDescriptor)
        guard let descriptor = client.takeDescriptor() else { throw TestFailure("no descriptor came") }
        var device = try EmulatorConnection(adopting: descriptor)
        let granted = try client.acquire(.report)
        #expect(try device.perform(.report).errno == 0)
        #expect(try client.ask(.release(Release(granted.turn))) == .done)
    }

    @Test("without a device turns are granted all the same, clients are told, and a device that comes is used")
    func absent() throws {
        let directory = try TemporaryDirectory()
        let daemon = try RunningDaemon(device: directory.file("sp"))
        try daemon.errors.wait(for: "Degraded")
        let client = try daemon.connect()
        #expect(try client.hello().deviceState == Extensible(.absent))
        guard case .registered(let registered) = try client.ask(TestClient.register(wantsDescriptor: true)) else {
            throw TestFailure("not registered")
        }
        #expect(!registered.carriesDescriptor)
        try client.release(client.acquire(.report).turn)
        #expect(client.unsolicited.isEmpty)

        let emulator = try RunningEmulator(in: directory)
        let second = try daemon.connect()
        #expect(try second.enter(wantsDescriptor: true).carriesDescriptor)
        #expect(
            try client.receive()?.message == .deviceState(Extensible(.alive), text: DeviceState.alive.sentence))
        withExtendedLifetime(emulator) {}
    }

    @Test("an overdue turn is probed for, taken back once the device has answered, and passed on")
    func overdue() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let holder = try daemon.enter("holder")
        let turn = try holder.acquire(.report).turn
        let waiting = try daemon.enter("waiting")
        let tag = try waiting.send(.acquire(Acquire(.report)))

        let link = try acceptProbe(device)
        try answer(link, .answered)
        #expect(try holder.receive()?.message == .revoked(turn, Extensible(.leaseEnded)))
        guard case .granted = try waiting.reply(to: tag) else { throw TestFailure("the turn was not passed on") }
        try daemon.errors.wait(for: "The turn of VM \"holder\" was not released within its lease")
        guard case .error(let reply) = try holder.ask(.release(Release(turn))) else {
            throw TestFailure("a revoked turn was released")
        }
        #expect(reply.code == Extensible(.unknownTurn))
    }

    @Test("a probe that finds the SP dead tells every client, refuses, and recovers")
    func dead() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn, errno: ETIMEDOUT)
        let link = try acceptProbe(device)
        try answer(link, .dead)
        #expect(try client.receive()?.message == .deviceState(Extensible(.dead), text: DeviceState.dead.sentence))
        guard case .busy(let busy) = try client.ask(.acquire(Acquire(.report))) else {
            throw TestFailure("not refused on a dead SP")
        }
        #expect(busy.reason == Extensible(.deviceDead))
        #expect(try daemon.serviceManager.wait { $0.contains("SP DEAD") })
        try answer(link, .answered)
        #expect(try client.receive()?.message == .deviceState(Extensible(.alive), text: DeviceState.alive.sentence))
        try client.release(client.acquire(.report).turn)
    }

    @Test("a thousand reports of ETIMEDOUT cause no more probes than seconds have passed, and no refusal")
    func liar() throws {
        let daemon = try RunningDaemon(device: "/dev/null", configuration: RunningDaemon.longLeases)
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let began = BootClock.now()
        let client = try daemon.enter("liar")
        try client.release(client.acquire(.report).turn, errno: ETIMEDOUT)
        let link = try acceptProbe(device)
        try answer(link, .answered)
        var probes = 1
        for _ in 0..<1_000 {
            try client.release(client.acquire(.report).turn, errno: ETIMEDOUT)
            while link.descriptor.waitReadable(milliseconds: 0) {
                try answer(link, .answered)
                probes += 1
            }
        }
        let seconds = (BootClock.now() - began).count / 1_000_000_000
        #expect(probes <= Int(seconds) + 1)
        #expect(client.unsolicited.isEmpty)
    }

    @Test("without spschedd-device an overdue turn is passed on all the same")
    func noProbe() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let holder = try daemon.enter("holder")
        let turn = try holder.acquire(.report).turn
        let waiting = try daemon.enter("waiting")
        let tag = try waiting.send(.acquire(Acquire(.report)))
        #expect(try holder.receive()?.message == .revoked(turn, Extensible(.leaseEnded)))
        guard case .granted = try waiting.reply(to: tag) else { throw TestFailure("the turn was not passed on") }
        try daemon.errors.wait(for: "The device could not be probed")
    }

    // MARK: Playing spschedd-device

    private func acceptProbe(_ listener: borrowing UnixListener) throws -> SeqpacketSocket {
        guard listener.descriptor.waitReadable(milliseconds: TestClient.patience),
            let descriptor = try listener.accept(isNonblocking: false)
        else { throw TestFailure("the daemon asked for no probe") }
        return SeqpacketSocket(adopting: descriptor)
    }

    private func answer(_ link: borrowing SeqpacketSocket, _ outcome: ProbeReport.Outcome) throws {
        guard link.descriptor.waitReadable(milliseconds: TestClient.patience),
            case .record(let record) = try link.receiveRecord()
        else { throw TestFailure("the daemon asked for no probe") }
        let reply = ProbeReply(
            tag: try ProbeRequest(decoding: record).tag, report: ProbeReport(outcome: outcome, text: "as the test says")
        )
        #expect(try link.send(reply.encoded().span.bytes) == .sent)
    }
}

extension FakeServiceManager {
    /// Reads messages until one has a line that is wanted.
    func wait(until isWanted: (String) -> Bool) throws -> Bool {
        while true { if try message().contains(where: isWanted) { return true } }
    }
}
