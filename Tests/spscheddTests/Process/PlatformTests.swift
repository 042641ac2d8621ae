import Arbiter
import DaemonTestSupport
import DeviceProtocol
import DeviceTestSupport
import Foundation
import LinuxIO
import ManagerProtocol
import SPModel
import Testing
import VMMProtocol

/// Goal: a platform command has the SP for itself, its outcome reaches who asked, and no way of it leaks a turn.
/// Method: the real daemon, the real device process and the real emulator; where the device is to misbehave, a socket
/// of the test's own in the device process's place.
@Suite("Platform commands", .timeLimit(.minutes(10)))
struct PlatformTests {
    private func connect(_ daemon: RunningDaemon) throws -> ManagerClient {
        try ManagerClient.connect(to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
    }

    @Test("status, configuration, commit and VLEK are done, each in a turn of its own, and told the journal")
    func allOfThem() throws {
        let emulator = try RunningEmulator()
        let device = try RunningDeviceProcess(device: emulator.socketPath)
        let daemon = try RunningDaemon(
            device: emulator.socketPath, configuration: RunningDaemon.longLeases,
            arguments: ["--device-socket", device.socketPath])
        var manager = try connect(daemon)
        let status = try manager.perform(.status)
        #expect(status.platform?.apiVersion == "1.58" && status.platform?.guestCount == 0)
        #expect(status.durationNanoseconds > 0)
        #expect(try manager.perform(.commit).platform == nil)
        try daemon.errors.wait(for: "SNP_COMMIT was done")
        _ = try manager.perform(.configure(reportedTCB: 0, masksChipID: true, masksChipKey: false))
        _ = try manager.perform(.loadVLEK(wrappedVersion: 0, hashstick: .init(repeating: 1, count: 432)))
        try daemon.errors.wait(for: "SNP_VLEK_LOAD was done")
        let counters = try manager.status().counters
        #expect(counters.platformNanoseconds > 0 && counters.overdueTurns == 0)
    }

    @Test("a firmware error is told as the firmware's, and the turn is free again")
    func firmwareError() throws {
        let emulator = try RunningEmulator()
        let device = try RunningDeviceProcess(device: emulator.socketPath)
        let daemon = try RunningDaemon(
            device: emulator.socketPath, arguments: ["--device-socket", device.socketPath])
        var control = try emulator.connect()
        try control.control(.firmwareError(0x22, count: .next(1)))
        var manager = try connect(daemon)
        let refused = #expect(throws: ManagerClientError.self) { _ = try manager.perform(.commit) }
        guard case .refused(let error, let parameters) = refused else { throw TestFailure("\(refused, default: "")") }
        #expect(error == "io.spschedd.Manager.PlatformFailed")
        #expect(parameters["firmware_name"] == .string("BAD_VERSION") && parameters["errno"] == .integer(5))
        #expect(try manager.status().turn == nil)
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn)
    }

    @Test("a command waits for the turn that is held, and a VM for the command's")
    func exclusive() throws {
        let daemon = try RunningDaemon(device: "/dev/null", configuration: RunningDaemon.longLeases)
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let holder = try daemon.enter("holder")
        let turn = try holder.acquire(.report).turn
        let administrator = try Administrator(daemon)
        administrator.ask(.commit)
        var manager = try connect(daemon)
        while try manager.status().queues.platformCommands == 0 {}
        try holder.release(turn)
        let link = try accept(device)
        let request = try next(link)
        #expect(request.order == .plain(.commit))
        // The command has the SP: the VM waits until it has come back.
        let tag = try holder.send(.acquire(Acquire(.report)))
        #expect(try manager.status().turn?.kind == "platform_command")
        try answer(link, request, .answered)
        guard case .granted(let granted) = try holder.reply(to: tag) else { throw TestFailure("not passed on") }
        try holder.release(granted.turn)
        #expect(try administrator.reply()?.durationNanoseconds == 1_000)
    }

    @Test("an operator who goes away takes a waiting command back, and leaves the outcome of one that was issued")
    func abandoned() throws {
        let daemon = try RunningDaemon(device: "/dev/null", configuration: RunningDaemon.longLeases)
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let holder = try daemon.enter("holder")
        let turn = try holder.acquire(.report).turn
        var manager = try connect(daemon)
        var impatient: Administrator? = try Administrator(daemon)
        impatient?.ask(.commit)
        while try manager.status().queues.platformCommands == 0 {}
        impatient = nil
        while try manager.status().queues.platformCommands != 0 {}
        try holder.release(turn)

        impatient = try Administrator(daemon)
        impatient?.ask(.commit)
        let link = try accept(device)
        let request = try next(link)
        impatient = nil
        try answer(link, request, .answered)
        try daemon.errors.wait(for: "SNP_COMMIT was done")
        #expect(try manager.status().turn == nil)
    }

    @Test("a device process that dies with a command costs its turn, not the daemon's")
    func lost() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let administrator = try Administrator(daemon)
        administrator.ask(.commit)
        var link: SeqpacketSocket? = try accept(device)
        if let link { _ = try next(link) }
        link = nil
        guard case .refused(_, let parameters)? = administrator.error() else { throw TestFailure("not refused") }
        guard case .string(let text)? = parameters["text"] else { throw TestFailure("no text") }
        #expect(text.contains("Whether it was done is unknown"))
        let client = try daemon.enter("vm")
        try client.release(client.acquire(.report).turn)
    }

    @Test("a command that does not come back is overdue, probed, and the SP stuck; when it is back, all goes on")
    func stuck() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        let device = try UnixListener(path: daemon.directory.file("probe"))
        let administrator = try Administrator(daemon)
        administrator.ask(.status)
        let link = try accept(device)
        let request = try next(link)
        // Its lease ends, and the probe behind it does not come back either.
        let probe = try nextProbe(link)
        #expect(try daemon.serviceManager.wait { $0.contains("SP STUCK") })
        var manager = try connect(daemon)
        let busy = #expect(throws: ManagerClientError.self) { _ = try manager.perform(.status) }
        guard case .refused("io.spschedd.Manager.PlatformBusy", let parameters) = busy else {
            throw TestFailure("\(busy, default: "")")
        }
        #expect(parameters["reason"] == .string("device_stuck"))
        // Registering takes no SP.
        let client = try daemon.enter("vm")
        try answer(link, request, .answered)
        #expect(
            try link.send(ProbeReply(tag: probe, report: ProbeReport(outcome: .answered)).encoded().span.bytes) == .sent
        )
        #expect(try client.receive()?.message == .deviceState(Extensible(.alive), text: DeviceState.alive.sentence))
        try client.release(client.acquire(.report).turn)
        #expect(try administrator.reply()?.durationNanoseconds == 1_000)
    }

    @Test("without spschedd-device a command fails with what to do, and costs no turn")
    func noDeviceProcess() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        var manager = try connect(daemon)
        let refused = #expect(throws: ManagerClientError.self) { _ = try manager.perform(.status) }
        guard case .refused(_, let parameters) = refused, case .string(let text)? = parameters["text"] else {
            throw TestFailure("\(refused, default: "")")
        }
        #expect(text.contains("Is it running?") && parameters["outcome"] == .string("not_attempted"))
        #expect(try manager.status().turn == nil)
    }

    @Test("a released device is closed and handed to nobody, until it is taken up again")
    func release() throws {
        let daemon = try RunningDaemon(device: "/dev/null")
        func holdsIt() throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").contains {
                // Standard input is the null device of its own.
                Int($0) ?? 0 > 2
                    && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(daemon.pid)/fd/\($0)"))
                        == "/dev/null"
            }
        }
        #expect(try holdsIt())
        let client = try daemon.enter("vm")
        var manager = try connect(daemon)
        #expect(try manager.releaseDevice() == 1)
        #expect(try !holdsIt())
        #expect(try client.receive()?.message == .deviceState(Extensible(.absent), text: DeviceState.absent.sentence))
        let late = try daemon.connect()
        #expect(try !late.enter("late", wantsDescriptor: true).carriesDescriptor)
        #expect(try manager.status().deviceDetail?.contains("spschedctl device retake") == true)
        try manager.retakeDevice()
        #expect(try holdsIt() && manager.status().device == .alive)
    }

    @Test("taking a device up again is told, or why there is none")
    func retakeIsTold() throws {
        let served = try RunningDaemon(device: "/dev/null")
        let taken = try BuiltProcess("spschedctl", ["device", "retake", "--manager-socket", served.managerPath])
        #expect(taken.rest() == "The daemon has taken up /dev/null again; it is alive\n")
        let without = try RunningDaemon()
        let none = try BuiltProcess("spschedctl", ["device", "retake", "--manager-socket", without.managerPath])
        #expect(none.rest().hasPrefix("The daemon may use the device again, and there is none: "))
    }

    // MARK: Playing spschedd-device

    private func accept(_ listener: borrowing UnixListener) throws -> SeqpacketSocket {
        guard listener.descriptor.waitReadable(milliseconds: TestClient.patience),
            let descriptor = try listener.accept(isNonblocking: false)
        else { throw TestFailure("the daemon asked for nothing") }
        return SeqpacketSocket(adopting: descriptor)
    }

    private func receive(_ link: borrowing SeqpacketSocket) throws -> DeviceRequest {
        guard link.descriptor.waitReadable(milliseconds: TestClient.patience),
            case .record(let record) = try link.receiveRecord(atMost: WireLimits.deviceMessageBytes)
        else { throw TestFailure("the daemon asked for nothing") }
        return try DeviceRequest(decoding: record)
    }

    private func next(_ link: borrowing SeqpacketSocket) throws -> PlatformRequest {
        guard case .platform(let request) = try receive(link) else { throw TestFailure("another request") }
        return request
    }

    private func nextProbe(_ link: borrowing SeqpacketSocket) throws -> UInt64 {
        guard case .probe(let probe) = try receive(link) else { throw TestFailure("another request") }
        return probe.tag
    }

    private func answer(
        _ link: borrowing SeqpacketSocket, _ request: PlatformRequest, _ outcome: ProbeReport.Outcome
    ) throws {
        let report = PlatformReport(ProbeReport(outcome: outcome, duration: .microseconds(1)))
        let reply = PlatformReply(tag: request.tag, report: report).encoded()
        #expect(try link.send(reply.span.bytes) == .sent)
    }
}

/// An operator whose call and its reply lie apart. Gone when the last reference goes.
private final class Administrator {
    private let socket: StreamSocket

    init(_ daemon: RunningDaemon) throws { socket = try StreamSocket.connect(to: daemon.managerPath) }

    func ask(_ order: ManagedPlatformOrder) {
        let method = order == .commit ? "PlatformCommit" : "PlatformStatus"
        let parameters = order == .commit ? #","parameters":{"confirm":true}"# : ""
        let call = Array(#"{"method":"io.spschedd.Manager.\#(method)"\#(parameters)}"#.utf8) + [0]
        #expect((try? socket.send(call[...])) != nil)
    }

    private func message() throws -> [UInt8] {
        var message: [UInt8] = []
        while message.last != 0 {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            guard try socket.waitReadable(milliseconds: TestClient.patience),
                case .bytes(let count) = try socket.receive(into: &buffer)
            else { throw TestFailure("no reply") }
            message += buffer[..<count]
        }
        return message.dropLast()
    }

    func reply() throws -> ManagerProtocol.PlatformReply? {
        try JSONDecoder().decode(VarlinkReply<ManagerProtocol.PlatformReply>.self, from: Data(message())).parameters
    }

    func error() -> ManagerClientError? {
        guard let bytes = try? message(),
            let reply = try? JSONDecoder().decode(VarlinkReply<[String: JSONValue]>.self, from: Data(bytes)),
            let error = reply.error
        else { return nil }
        return .refused(error: error, parameters: reply.parameters ?? [:])
    }
}
