import Testing

@testable import Arbiter

@Suite("A turn, from acquire to release")
struct SmokeTests {
    @Test("a free SP is granted at once; a second VM gets it on release")
    func handOver() throws {
        var arbiter = Arbiter(configuration: Configuration(), virtualMachines: 8, now: Instant(sinceBoot: .zero))
        var out: [Decision] = []
        guard let account = arbiter.openAccount() else { throw AdmissionRefusal.tooManyVMs(limit: 0) }
        let now = Instant(sinceBoot: .seconds(1))
        let a = try arbiter.register(Registration(), account: account, now: now).vm
        let b = try arbiter.register(Registration(), account: account, now: now).vm
        try arbiter.acquire(
            .report, units: 1, maxWait: nil, request: RequestID(origin: 1, tag: 1), of: a, now: now, into: &out)
        guard case .granted(_, a, let grant) = out.last else { Issue.record("\(out)"); return }
        try arbiter.acquire(
            .report, units: 1, maxWait: nil, request: RequestID(origin: 2, tag: 1), of: b, now: now, into: &out)
        #expect(out.count == 1)
        let violated = arbiter.violatedInvariant()
        #expect(violated == nil)
        let later = now + .milliseconds(7)
        try arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: a, now: later, into: &out)
        guard case .granted(_, b, _) = out.last else { Issue.record("\(out)"); return }
        #expect(out.count == 2)
        let violatedLater = arbiter.violatedInvariant()
        #expect(violatedLater == nil)
    }
}
