import Arbiter
import ConfigurationFiles
import DeviceTestSupport
import Foundation
import Testing
import TraceFormat
import TraceReplay

@testable import spschedd

/// Goal: what the daemon calls is what is recorded, call by call; and a trace that cannot go on ends by itself.
@Suite("Recording")
struct TraceRecorderTests {
    private static let origin = TraceOrigin(epoch: 1, startedAt: 2, startedAtSinceEpoch: 3, programVersion: "test")

    private func recorder(in directory: TemporaryDirectory, vms: Int64 = 8) throws -> TraceRecorder {
        var settings = DaemonConfiguration().trace
        settings.file = directory.file("trace")
        settings.sizeMebibytes = 1
        return try TraceRecorder(settings, vms: vms, Self.origin)
    }

    private func read(_ directory: TemporaryDirectory) throws -> TraceFile {
        try TraceFile([UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.file("trace")))))
    }

    @Test("every entry point is recorded with its arguments and its answer, and replays")
    func everyCall() throws {
        let directory = try TemporaryDirectory()
        var play = Play(try recorder(in: directory))
        let expected = try play.run()
        let file = try read(directory)
        let calls = TraceReader(file).compactMap { if case .call(_, let record) = $0 { record.call } else { nil } }
        #expect(calls == expected)
        var replay = Replay()
        replay.run(file)
        #expect(replay.summary.difference == nil)
        #expect(replay.summary.calls == expected.count)
        #expect(replay.names.values.sorted() == ["one", "two"])
    }

    @Test("names are in each segment, but for those of VMs that are gone")
    func names() throws {
        let directory = try TemporaryDirectory()
        var play = Play(try recorder(in: directory))
        _ = try play.run()
        play.beginSegment()
        var names: [UInt64: [String]] = [:]
        var segment: UInt64 = 0
        for item in TraceReader(try read(directory)) {
            if case .segment(let begun, _) = item { segment = begun.number }
            if case .name(_, let name) = item { names[segment, default: []].append(name) }
        }
        #expect(names == [1: ["one", "two"], 2: ["one"]])
    }

    @Test("when the state outgrows its segment the trace ends, and says once why and what to do")
    func stateTooLarge() throws {
        let directory = try TemporaryDirectory()
        let recorder = try recorder(in: directory)
        var arbiter = RecordedArbiter(
            Arbiter(configuration: Configuration(), virtualMachines: 20_000, now: Play.start), recorder: recorder)
        var decisions: [Decision] = []
        arbiter.advance(to: Play.start, into: &decisions)
        let problem = try #require(recorder.takeProblem())
        #expect(problem.contains("The trace has ended") && problem.contains("Raise trace.size_mib"))
        #expect(recorder.takeProblem() == nil)
        #expect(!recorder.wantsSegment && !recorder.needsSegment)
        arbiter.drain(now: Play.start, into: &decisions)
        let overview = arbiter.overview(now: Play.start)
        #expect(overview.isDraining)
    }
}

/// One call of each kind, in an order in which each finds something to do.
private struct Play: ~Copyable {
    static let start = Instant(sinceBoot: .seconds(50))

    private var arbiter: RecordedArbiter
    private var decisions: [Decision] = []
    private var now = Play.start
    private var calls: [ArbiterCall] = []

    init(_ recorder: TraceRecorder) {
        arbiter = RecordedArbiter(
            Arbiter(configuration: Configuration(), virtualMachines: 8, now: Play.start), recorder: recorder)
    }

    mutating func beginSegment() { arbiter.beginSegment(at: now) }

    private mutating func next(_ call: ArbiterCall) {
        now += .milliseconds(3)
        calls.append(call)
    }

    private mutating func expectFailure(_ call: (inout Play) throws -> Void) {
        var hasFailed = false
        do { try call(&self) } catch { hasFailed = true }
        #expect(hasFailed)
    }

    private var turn: TurnID { arbiter.overview(now: now).turn?.turn ?? TurnID(number: 0) }

    mutating func run() throws -> [ArbiterCall] {
        next(.openAccount)
        let opened = arbiter.openAccount(now: now)
        let account = try #require(opened)
        let registration = Registration(reservationWanted: .perSecond(2), burst: 7, guestWaitMax: .milliseconds(30))
        next(.register(registration, account))
        let one = try arbiter.register(registration, name: "one", account: account, now: now).vm
        next(.register(Registration(), account))
        let two = try arbiter.register(Registration(), name: "two", account: account, now: now).vm
        next(.register(Registration(burst: 0), account))
        expectFailure { play in
            _ = try play.arbiter.register(Registration(burst: 0), name: "bad", account: account, now: play.now)
        }
        next(.devicePresence(isPresent: true))
        arbiter.devicePresence(isPresent: true, now: now, into: &decisions)
        try launch(one)
        try reports(one, two)
        try platform()
        next(.drain)
        arbiter.drain(now: now, into: &decisions)
        next(.resume)
        arbiter.resume(now: now, into: &decisions)
        next(.probeReturned(.unavailable))
        arbiter.probeReturned(.unavailable, now: now, into: &decisions)
        next(.unregister(two))
        arbiter.unregister(two, now: now, into: &decisions)
        next(.closeAccount(account))
        let isClosed = arbiter.closeAccount(account, now: now)
        #expect(!isClosed)
        return calls
    }

    private mutating func launch(_ vm: VMID) throws {
        let plan = LaunchPlan(pages: 40, virtualCPUs: 3, isProxy: true)
        next(.beginLaunch(plan, vm))
        let session = try arbiter.beginLaunch(plan, of: vm, now: now)
        next(.beginLaunch(plan, vm))
        expectFailure { play in _ = try play.arbiter.beginLaunch(plan, of: vm, now: play.now) }
        let update = RequestID(origin: 5, tag: 1)
        next(.acquire(.init(id: update, kind: .launchUpdate, units: 40, maxWait: .seconds(9)), vm))
        try arbiter.acquire(
            .launchUpdate, units: 40, maxWait: .seconds(9), request: update, of: vm, now: now, into: &decisions)
        let finish = RequestID(origin: 5, tag: 2)
        let outcome = TurnOutcome(unitsDone: 32, reportsDeviceTrouble: true, measured: .milliseconds(29))
        let held = turn
        next(
            .releaseAndAcquire(
                held, outcome, .init(id: finish, kind: .launchFinish, units: 3, maxWait: nil), vm))
        try arbiter.releaseAndAcquire(
            held, outcome, .launchFinish, units: 3, maxWait: nil, request: finish, of: vm, now: now, into: &decisions)
        next(.release(TurnID(number: 99), TurnOutcome(unitsDone: 1), vm))
        expectFailure { play in
            try play.arbiter.release(
                TurnID(number: 99), TurnOutcome(unitsDone: 1), of: vm, now: play.now, into: &play.decisions)
        }
        let last = turn
        next(.release(last, TurnOutcome(unitsDone: 3), vm))
        try arbiter.release(last, TurnOutcome(unitsDone: 3), of: vm, now: now, into: &decisions)
        next(.endLaunch(session, vm))
        try arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
    }

    private mutating func reports(_ one: VMID, _ two: VMID) throws {
        for (tag, vm) in [(3, one), (4, two)] as [(UInt64, VMID)] {
            let request = RequestID(origin: 6, tag: tag)
            next(.acquire(.init(id: request, kind: .report, units: 1, maxWait: nil), vm))
            try arbiter.acquire(
                .report, units: 1, maxWait: nil, request: request, of: vm, now: now, into: &decisions)
        }
        next(.cancel(RequestID(origin: 6, tag: 4), two))
        arbiter.cancel(RequestID(origin: 6, tag: 4), of: two, now: now, into: &decisions)
        next(.hangUp(origin: 6, one))
        arbiter.hangUp(origin: 6, of: one, now: now, into: &decisions)
        next(.advance)
        arbiter.advance(to: now, into: &decisions)
    }

    private mutating func platform() throws {
        let (first, second) = (RequestID(origin: 0, tag: 8), RequestID(origin: 0, tag: 9))
        next(.acquirePlatform(.platformStatus, first))
        try arbiter.acquirePlatform(.platformStatus, request: first, now: now, into: &decisions)
        next(.acquirePlatform(.platformCommand, second))
        try arbiter.acquirePlatform(.platformCommand, request: second, now: now, into: &decisions)
        next(.cancelPlatform(second))
        arbiter.cancelPlatform(second, now: now, into: &decisions)
        let held = turn
        next(.releasePlatform(held, reportsDeviceTrouble: true))
        try arbiter.releasePlatform(held, reportsDeviceTrouble: true, now: now, into: &decisions)
    }
}
