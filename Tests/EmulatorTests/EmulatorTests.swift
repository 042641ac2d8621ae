import Arbiter
import DeviceProtocol
import DeviceTestSupport
import Glibc
import LinuxIO
import SPModel
import Testing

/// Goal: the emulator as its users meet it. Method: the real process over its real socket; order is proven by results
/// and by the trace, never by the clock of the test.
@Suite("sp-emulator", .serialized)
struct EmulatorTests {
    @Test("an update queues again after each page, behind the reports that came meanwhile")
    func pageByPage() throws {
        let emulator = try RunningEmulator()
        var control = try emulator.connect("control")
        var launch = try emulator.connect("launch")
        var guest1 = try emulator.connect("guest,1")
        var guest2 = try emulator.connect("guest-2")

        // Nothing ends while all three queue up, so that their order is certain.
        try control.control(.stallUntilRevived)
        let update = try #require(CommandSequence(kind: .launchUpdate, units: 4))
        let report = try #require(CommandSequence(kind: .report))
        _ = try launch.submit(update)
        try control.waitUntil { $0.outstanding == 1 }
        _ = try guest1.submit(report)
        try control.waitUntil { $0.outstanding == 2 }
        _ = try guest2.submit(report)
        try control.waitUntil { $0.outstanding == 3 }
        try control.control(.revive)

        let (first, second) = (try guest1.result(), try guest2.result())
        let launched = try launch.result()
        #expect(launched.unitsDone == 4 && launched.errno == 0)
        // Page 2 waited for both reports, less the 30 µs after page 1; pages 3 and 4 for nobody.
        #expect(launched.queued == first.service + second.service - .microseconds(30))

        let (code, _) = emulator.terminate()
        #expect(code == 0)
        let trace = try emulator.trace()
        #expect(trace.map { $0[0] } == ["launch", "guest_1", "guest-2", "launch"])
        #expect(trace.map { $0[1] } == ["launchUpdate", "report", "report", "launchUpdate"])
        #expect(trace.map { $0[4] } == ["1", "1", "1", "3"])
        #expect(trace[1][3] == trace[2][2], "a command begins when its predecessor ends")
    }

    @Test("200 open devices are served one command at a time, and SP time adds up")
    func serial() throws {
        let emulator = try RunningEmulator()
        let key = try #require(CommandSequence(kind: .derivedKey))
        var opens: [Open] = []
        for _ in 0..<200 { opens.append(Open(try emulator.connect())) }
        for open in opens { _ = try open.connection.submit(key) }
        var served = Nanoseconds.zero
        for open in opens {
            let result = try open.connection.result()
            #expect(result.errno == 0 && result.unitsDone == 1)
            served += result.service
        }
        var control = try emulator.connect()
        let statistics = try control.statistics()
        #expect(statistics.busy == served && statistics.ioctls == 200 && statistics.failed == 0)
        #expect(statistics.connections == 201)
        #expect(statistics.latenessMedian <= statistics.lateness99 && statistics.lateness99 <= statistics.latenessMax)
        _ = emulator.terminate()
        let times = try emulator.trace().map { (start: Int64($0[2])!, end: Int64($0[3])!) }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0.end <= $1.start })
    }

    @Test("a whole launch and a status command come to what the profile says, and the guest is counted until it goes")
    func launch() throws {
        let emulator = try RunningEmulator()
        var watcher = try emulator.connect()
        do {
            var machine = try emulator.connect("vm")
            for ioctl in LaunchProfile.microvm.ioctls(virtualCPUs: 2, chunkPages: 8) {
                let result = try machine.perform(ioctl)
                #expect(result.errno == 0 && result.unitsDone == ioctl.units && result.queued == .zero)
            }
            let status = try watcher.perform(.platformStatus)
            #expect(status.platform == PlatformStatus(major: 1, minor: 58, guestCount: 1))
        }
        try watcher.waitUntil { $0.connections == 1 }
        #expect(try watcher.perform(.platformStatus).platform?.guestCount == 0)
        // START 3, pages 21, FINISH 2 + 1, two statuses of 2.
        #expect(try watcher.statistics().firmwareCommands == 3 + 21 + 3 + 4)
    }

    @Test("an open device works for a process that did not open it")
    func handedOver() throws {
        let emulator = try RunningEmulator()
        var adopted: EmulatorConnection
        do {
            let opened = try SeqpacketSocket.connect(to: emulator.socketPath, isNonblocking: true)
            adopted = try EmulatorConnection(adopting: try opened.descriptor.duplicate())
        }
        #expect(try adopted.perform(.report).errno == 0)
    }

    @Test("told to die it times out the next command and answers EBUSY from then on, until it is revived")
    func death() throws {
        let emulator = try RunningEmulator()
        var device = try emulator.connect()
        try device.control(.die(hang: .milliseconds(1)))
        #expect(try device.perform(.report).errno == ETIMEDOUT)
        #expect(try device.perform(.platformStatus).errno == EBUSY)
        #expect(try device.perform(.platformStatus).platform == nil)
        try device.control(.revive)
        #expect(try device.perform(.report).errno == 0)
    }

    @Test("a death fails everything that is queued at once")
    func deathWithQueue() throws {
        let emulator = try RunningEmulator()
        var control = try emulator.connect()
        var first = try emulator.connect()
        var second = try emulator.connect()
        let report = try #require(CommandSequence(kind: .report))
        try control.control(.stallUntilRevived)
        _ = try first.submit(report)
        try control.waitUntil { $0.outstanding == 1 }
        _ = try second.submit(report)
        try control.waitUntil { $0.outstanding == 2 }
        try control.control(.die(hang: .zero))
        try control.control(.stall(.zero))
        #expect(try first.result().errno == ETIMEDOUT)
        #expect(try second.result().errno == EBUSY)
    }

    @Test("a stall holds what is in service until it is over")
    func stall() throws {
        let emulator = try RunningEmulator()
        var control = try emulator.connect()
        var device = try emulator.connect()
        try control.control(.stall(.milliseconds(1)))
        #expect(try device.perform(.derivedKey).errno == 0)
        try control.control(.stall(.seconds(10_000)))
        _ = try device.submit(try #require(CommandSequence(kind: .derivedKey)))
        try control.waitUntil { $0.outstanding == 1 }
        try control.control(.revive)
        #expect(try device.result().errno == 0)
        try control.control(.stallUntilRevived)
        _ = try device.submit(try #require(CommandSequence(kind: .derivedKey)))
        try control.waitUntil { $0.outstanding == 1 }
        try control.control(.revive)
        #expect(try device.result().errno == 0)
    }

    @Test("a refusal comes before the firmware, a firmware error after it; both as often as they were asked for")
    func refusals() throws {
        let emulator = try RunningEmulator()
        var device = try emulator.connect()
        try device.control(.refuse(errno: EACCES, count: .next(2)))
        #expect(try device.perform(.report).errno == EACCES)
        #expect(try device.perform(.report).errno == EACCES)
        #expect(try device.statistics().firmwareCommands == 0)
        try device.control(.firmwareError(0x16, count: .next(1)))
        let refused = try device.perform(.launchUpdate, units: 3, pageKind: .cpuid)
        #expect(refused.errno == EIO && refused.firmwareCode.name == "INVALID_PARAM" && refused.unitsDone == 0)
        #expect(try device.perform(.launchUpdate, units: 3, pageKind: .cpuid).errno == 0)
    }

    @Test("who hangs up loses what it queued; its command in service runs on, and the next is served after it")
    func hangUp() throws {
        let emulator = try RunningEmulator()
        var control = try emulator.connect("control")
        var last = try emulator.connect("last")
        let report = try #require(CommandSequence(kind: .report))
        try control.control(.stallUntilRevived)
        do {
            var serving = try emulator.connect("serving")
            _ = try serving.submit(try #require(CommandSequence(kind: .launchUpdate, units: 9)))
            try control.waitUntil { $0.outstanding == 1 }
            do {
                var queued = try emulator.connect("queued")
                _ = try queued.submit(report)
                try control.waitUntil { $0.outstanding == 2 }
                _ = try last.submit(report)
                try control.waitUntil { $0.outstanding == 3 }
            }
            try control.waitUntil { $0.outstanding == 2 }
        }
        try control.waitUntil { $0.connections == 2 }
        try control.control(.revive)
        #expect(try last.result().errno == 0)
        let (code, _) = emulator.terminate()
        #expect(code == 0)
        #expect(try emulator.trace().map { [$0[0], $0[4]] } == [["serving", "1"], ["last", "1"]])
    }

    @Test("it outlives its socket's name: whoever has the device open goes on")
    func unlinked() throws {
        let emulator = try RunningEmulator()
        var device = try emulator.connect()
        #expect(unlink(emulator.socketPath) == 0)
        #expect(try device.perform(.derivedKey).errno == 0)
        #expect(throws: DeviceProtocolError.self) { _ = try EmulatorConnection(path: emulator.socketPath) }
        let (code, output) = emulator.terminate()
        #expect(code == 0)
        #expect(output.hasPrefix("lateness: p50 ") && output.contains("utilisation: ") && output.contains("ioctls: 1,"))
    }
}

/// A connection that an array can hold.
final class Open {
    var connection: EmulatorConnection

    init(_ connection: consuming EmulatorConnection) { self.connection = connection }
}

extension EmulatorConnection {
    /// The result of what was submitted before.
    func result() throws -> CommandResult {
        let reply = try receive()
        guard case .result(_, let result) = reply else { throw ProcessError("no result: \(reply)") }
        return result
    }
}
