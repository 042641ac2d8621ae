import Testing

@testable import Arbiter

/// Goal: a host that was suspended finds no SP stuck or dead that nobody asked. Method: calls that come an hour apart.
@Suite("A host that was suspended")
final class SuspendTests {
    private var arbiter: Arbiter
    private let vm: VMID
    private var decisions: [Decision] = []
    private let begin = Instant(sinceBoot: .seconds(1))

    init() throws {
        arbiter = Arbiter(configuration: Configuration(), now: begin)
        let account = arbiter.openAccount()
        vm = try arbiter.register(Registration(), account: try #require(account), now: begin).vm
    }

    private func take() -> [Decision] {
        defer { decisions = [] }
        return decisions
    }

    private func acquire(_ now: Instant) throws -> TurnID {
        let request = RequestID(origin: 1, tag: 1)
        try arbiter.acquire(.report, units: 1, maxWait: nil, request: request, of: vm, now: now, into: &decisions)
        guard case .granted(_, _, let grant) = take().first else { throw RequestError.unknownTurn }
        return grant.turn
    }

    @Test("a turn that became overdue meanwhile is probed, and has the probe's whole patience")
    func overdue() throws {
        let turn = try acquire(begin)
        let wake = begin + .seconds(3_600)
        arbiter.advance(to: wake, into: &decisions)
        #expect(take() == [.probe])
        arbiter.advance(to: wake + Limits.probePatience - .milliseconds(1), into: &decisions)
        #expect(take().isEmpty)
        arbiter.probeReturned(.returned, now: wake + Limits.probePatience - .milliseconds(1), into: &decisions)
        #expect(take() == [.revoked(turn, vm, origin: 1)])
    }

    @Test("a probe that never comes back after waking is as stuck as any")
    func stuck() throws {
        _ = try acquire(begin)
        let wake = begin + .seconds(3_600)
        arbiter.advance(to: wake, into: &decisions)
        arbiter.advance(to: wake + Limits.probePatience, into: &decisions)
        #expect(take() == [.probe, .deviceState(.stuck)])
    }

    @Test("a probe that was under way when the host went to sleep has its patience again")
    func asleepWithProbe() throws {
        let turn = try acquire(begin)
        let asked = begin + .milliseconds(80)
        arbiter.advance(to: asked, into: &decisions)
        #expect(take() == [.probe])
        let wake = asked + .seconds(3_600)
        arbiter.advance(to: wake, into: &decisions)
        #expect(take().isEmpty)
        arbiter.advance(to: wake + Limits.probePatience, into: &decisions)
        #expect(take() == [.deviceState(.stuck)])
        arbiter.probeReturned(.returned, now: wake + Limits.probePatience + .seconds(1), into: &decisions)
        #expect(take() == [.deviceState(.alive), .revoked(turn, vm, origin: 1)])
    }

    @Test("a release that comes first on waking ends the turn as any")
    func released() throws {
        let turn = try acquire(begin)
        let wake = begin + .seconds(3_600)
        try arbiter.release(turn, TurnOutcome(unitsDone: 1), of: vm, now: wake, into: &decisions)
        #expect(take() == [.probe])
        arbiter.probeReturned(.returned, now: wake + .milliseconds(1), into: &decisions)
        #expect(take().isEmpty)
    }
}
