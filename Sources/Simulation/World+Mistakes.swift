import Arbiter

/// Clients' mistakes: each is answered with an error, and changes nothing.
extension World {
    mutating func makeMistakes(_ tenant: Int) throws(Violation) {
        tell?("\(stamp) VM \(tenant) makes every mistake")
        // What has come due happens first, so that what follows has nothing to do but refuse.
        arbiter.advance(to: now, into: &decisions)
        try settle()
        let vm = tenants[tenant].vm ?? VMID(slot: 0, generation: .max)
        try expectError("a stranger's turn") { arbiter, now, out throws(RequestError) in
            try arbiter.release(TurnID(number: .max), TurnOutcome(unitsDone: 1), of: vm, now: now, into: &out)
        }
        try expectError("a guest request of two units") { arbiter, now, out throws(RequestError) in
            try arbiter.acquire(
                .report, units: 2, maxWait: nil, request: RequestID(origin: 0, tag: 0), of: vm, now: now, into: &out)
        }
        try expectError("a platform command of a VM") { arbiter, now, out throws(RequestError) in
            try arbiter.acquire(
                .platformStatus, units: 1, maxWait: nil, request: RequestID(origin: 0, tag: 0), of: vm, now: now,
                into: &out)
        }
        try expectError("a VM that never was") { arbiter, now, out throws(RequestError) in
            try arbiter.acquire(
                .report, units: 1, maxWait: nil, request: RequestID(origin: 0, tag: 0),
                of: VMID(slot: .max, generation: 7), now: now, into: &out)
        }
        try expectError("the end of a stranger's session") { arbiter, now, out throws(RequestError) in
            try arbiter.endLaunch(SessionID(number: .max), of: vm, now: now, into: &out)
        }
        try expectError("no page at all") { arbiter, now, out throws(RequestError) in
            try arbiter.acquire(
                .launchUpdate, units: 0, maxWait: nil, request: RequestID(origin: 0, tag: 0), of: vm, now: now,
                into: &out)
        }
        try expectError("another's turn") { [turns] arbiter, now, out throws(RequestError) in
            guard let other = turns.first(where: { $0.tenant != tenant }) else { throw .unknownTurn }
            try arbiter.release(other.id, TurnOutcome(unitsDone: 1), of: vm, now: now, into: &out)
        }
    }

    private mutating func expectError(
        _ what: String, _ attempt: (inout Arbiter, Instant, inout [Decision]) throws(RequestError) -> Void
    ) throws(Violation) {
        var answered = false
        do { try attempt(&arbiter, now, &decisions) } catch { answered = true }
        guard answered else { throw checker.broken(.mistake, "\(what) was not an error") }
        guard decisions.isEmpty else { throw checker.broken(.mistake, "\(what) changed something: \(decisions)") }
        try settle()
    }
}
