import Testing

@testable import Arbiter

/// Goal: an Arbiter that is rebuilt from its parts keeps every promise and everything that was used up, does not grant
/// a turn that is out, and waits until its clients have said what they want. Method: seeded random calls, then all
/// parts written down and read again; and small scenes by hand.
@Suite("Records")
struct RecordsTests {
    @Test("after any calls the parts make an Arbiter that is sound", arguments: 1...60 as ClosedRange<UInt64>)
    func anyMoment(seed: UInt64) throws {
        var caller = RandomCaller(seed: seed)
        var moments = SeededRandom(seed &+ 500)
        for _ in 0..<20 {
            for _ in 0..<1 + moments.below(30) { caller.act() }
            try caller.rebuild(after: .milliseconds(Int64(moments.below(3_000))))
        }
        #expect(caller.granted > 5, "too little happened")
    }

    private static let origin: UInt64 = 5

    private struct Scene: ~Copyable {
        var arbiter: Arbiter
        var decisions: [Decision] = []
        var now = Instant(sinceBoot: .seconds(100))
        var tags: UInt64 = 0

        init() { arbiter = Arbiter(configuration: Configuration(), virtualMachines: 4, now: now) }

        mutating func register(_ policy: RetryPolicy = .linux, limit: Rate? = nil) throws -> VMID {
            let account = AccountID(slot: 0)
            if arbiter.accounts[0] == nil { _ = arbiter.openAccount() }
            return try arbiter.register(Registration(limit: limit, retryPolicy: policy), account: account, now: now).vm
        }

        mutating func acquire(_ kind: CommandKind = .report, _ units: UInt32 = 1, of vm: VMID) throws -> [Decision] {
            tags += 1
            decisions = []
            try arbiter.acquire(
                kind, units: units, maxWait: nil, request: RequestID(origin: RecordsTests.origin, tag: tags), of: vm,
                now: now, into: &decisions)
            return decisions
        }

        /// The daemon is away for so long.
        mutating func restart(_ gap: Nanoseconds) throws {
            now = now + gap
            let records = arbiter.records
            arbiter = try Arbiter.rebuilt(
                from: records, configuration: Configuration(), virtualMachines: 4, now: now)
        }

        mutating func resume() -> [Decision] {
            decisions = []
            arbiter.resumeGrants(now: now, into: &decisions)
            return decisions
        }

        mutating func pass(_ time: Nanoseconds) -> [Decision] {
            now = now + time
            decisions = []
            arbiter.advance(to: now, into: &decisions)
            return decisions
        }
    }

    @Test("a turn that is out stays out, and its lease begins anew")
    func turnStaysOut() throws {
        var scene = Scene()
        let (first, second) = (try scene.register(), try scene.register())
        let granted = try scene.acquire(of: first)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        try scene.restart(.seconds(2))
        #expect(try scene.acquire(of: second) == [], "it waits: nobody is granted anything yet")
        #expect(scene.resume() == [], "the turn of the first is out")
        #expect(scene.pass(grant.lease - .milliseconds(1)) == [], "it is within its lease")
        var decisions: [Decision] = []
        try scene.arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: first, now: scene.now, into: &decisions)
        #expect(decisions.contains { if case .granted(_, second, _) = $0 { true } else { false } })
    }

    @Test("nothing is granted until grants are resumed")
    func paused() throws {
        var scene = Scene()
        let vm = try scene.register()
        try scene.restart(.milliseconds(100))
        #expect(try scene.acquire(of: vm) == [])
        #expect(scene.resume().contains { if case .granted(_, vm, _) = $0 { true } else { false } })
    }

    @Test("a grant that never arrived is taken back as if it had not been given")
    func takenBack() throws {
        var scene = Scene()
        let vm = try scene.register(limit: .perSecond(1))
        for _ in 0..<2 {
            let granted = try scene.acquire(of: vm)
            guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
            var none: [Decision] = []
            try scene.arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: vm, now: scene.now, into: &none)
        }
        let before = scene.arbiter.virtualMachines[0]
        let granted = try scene.acquire(of: vm)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        try scene.restart(.milliseconds(300))
        var decisions: [Decision] = []
        #expect(scene.arbiter.turns(ofOrigin: Self.origin) == [grant.turn])
        scene.arbiter.takeBack(grant.turn, now: scene.now, into: &decisions)
        #expect(decisions == [])
        #expect(scene.arbiter.virtualMachines[0].reservationBucket == before.reservationBucket)
        #expect(scene.arbiter.virtualMachines[0].limitBucket == before.limitBucket)
        #expect(scene.arbiter.virtualMachines[0].counters == before.counters)
        #expect(scene.resume() == [])
        #expect(try scene.acquire(of: vm).count == 1, "it is within its limit as before")
        #expect(scene.arbiter.violatedInvariant() == nil)
    }

    @Test("a request that waited is as old as it was when it comes again")
    func ageIsKept() throws {
        var scene = Scene()
        let (holder, waiting) = (try scene.register(), try scene.register())
        _ = try scene.acquire(of: holder)
        _ = try scene.acquire(of: waiting)
        let began = scene.now
        #expect(scene.arbiter.virtualMachines[1].phase == .queued)
        try scene.restart(.seconds(1))
        #expect(scene.arbiter.virtualMachines[1].phase == .idle)
        scene.now = scene.now + .milliseconds(500)
        _ = try scene.acquire(of: waiting)
        #expect(scene.arbiter.virtualMachines[1].firstAttempt == began)
        #expect(scene.arbiter.virtualMachines[1].refusals == 0, "it was not refused")
    }

    @Test("a request that waited has its place among the reserved again, whoever is heard first")
    func placeIsKept() throws {
        var scene = Scene()
        let (holder, waiting, newer) = (try scene.register(), try scene.register(), try scene.register())
        let granted = try scene.acquire(of: holder)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        _ = try scene.acquire(of: waiting)
        for _ in 0..<2 {
            try scene.restart(.milliseconds(250))
            _ = try scene.acquire(of: newer)
            _ = try scene.acquire(of: waiting)
        }
        _ = scene.resume()
        var decisions: [Decision] = []
        try scene.arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: holder, now: scene.now, into: &decisions)
        #expect(decisions.contains { if case .granted(_, waiting, _) = $0 { true } else { false } }, "\(decisions)")
    }

    @Test("an attempt that must not be refused goes first after eight seconds, however many daemons it waited for")
    func frozenAgeIsKept() throws {
        var scene = Scene()
        let (holder, frozen, other) = (try scene.register(), try scene.register(.never), try scene.register())
        let granted = try scene.acquire(of: holder)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        _ = try scene.acquire(of: frozen)
        for _ in 0..<3 {
            #expect(scene.arbiter.virtualMachines[1].guest?.isAged == false)
            try scene.restart(.seconds(3))
            _ = try scene.acquire(of: other)
            _ = try scene.acquire(of: frozen)
        }
        #expect(scene.resume() == [], "the turn of the first is out")
        var decisions: [Decision] = []
        try scene.arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: holder, now: scene.now, into: &decisions)
        #expect(decisions.contains { if case .granted(_, frozen, _) = $0 { true } else { false } }, "\(decisions)")
    }

    @Test("an attempt that must not be refused is one still after its grant was taken back")
    func protectionIsKept() throws {
        var scene = Scene()
        let vm = try scene.register(.once)
        scene.arbiter.virtualMachines[0].firstAttempt = scene.now
        scene.arbiter.virtualMachines[0].refusedAt = scene.now
        scene.arbiter.virtualMachines[0].refusals = 1
        let granted = try scene.acquire(of: vm)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        try scene.restart(.milliseconds(300))
        var decisions: [Decision] = []
        scene.arbiter.takeBack(grant.turn, now: scene.now, into: &decisions)
        _ = try scene.acquire(of: vm)
        #expect(scene.arbiter.virtualMachines[0].guest?.isProtected == true)
        #expect(scene.arbiter.violatedInvariant() == nil)
    }

    @Test("attempts that must not be refused charge the limit, but not beyond time")
    func limitStaysInTime() throws {
        var scene = Scene()
        let vm = try scene.register(.never, limit: Rate(millihertz: 25))
        for _ in 0..<3_000 {
            let granted = try scene.acquire(of: vm)
            guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
            var decisions: [Decision] = []
            try scene.arbiter.release(grant.turn, TurnOutcome(unitsDone: 1), of: vm, now: scene.now, into: &decisions)
        }
        let opens = try #require(scene.arbiter.standing(of: vm, now: scene.now)?.limitOpensIn)
        #expect(opens <= .seconds(86_400) && opens > .seconds(80_000))
        try scene.restart(.seconds(1))
    }

    @Test("a grant that skipped the limit is taken back without giving the limit anything")
    func skippedLimit() throws {
        var scene = Scene()
        let (holder, vm) = (try scene.register(), try scene.register(limit: Rate(millihertz: 25)))
        let first = try scene.acquire(of: holder)
        guard case .granted(_, _, let held) = first.first else { return #expect(Bool(false), "\(first)") }
        _ = try scene.acquire(of: vm)
        // As the end of its launch does, while it waits.
        scene.arbiter.virtualMachines[1].skipsLimit = true
        var decisions: [Decision] = []
        try scene.arbiter.release(held.turn, TurnOutcome(unitsDone: 1), of: holder, now: scene.now, into: &decisions)
        guard case .granted(_, vm, let grant) = decisions.last else { return #expect(Bool(false), "\(decisions)") }
        try scene.restart(.milliseconds(300))
        scene.arbiter.takeBack(grant.turn, now: scene.now, into: &decisions)
        #expect(scene.arbiter.virtualMachines[1].limitBucket == CellRate())
        try scene.restart(.seconds(1))
    }

    @Test("a launch goes on in its session")
    func launchGoesOn() throws {
        var scene = Scene()
        let vm = try scene.register()
        let session = try scene.arbiter.beginLaunch(LaunchPlan(pages: 10, virtualCPUs: 1), of: vm, now: scene.now)
        let granted = try scene.acquire(.launchStart, of: vm)
        guard case .granted(_, _, let grant) = granted.first else { return #expect(Bool(false), "\(granted)") }
        try scene.restart(.seconds(1))
        #expect(scene.arbiter.session(of: vm) == session)
        _ = scene.resume()
        var decisions: [Decision] = []
        try scene.arbiter.releaseAndAcquire(
            grant.turn, TurnOutcome(unitsDone: 1), .launchUpdate, units: 10, maxWait: nil,
            request: RequestID(origin: Self.origin, tag: 90), of: vm, now: scene.now, into: &decisions)
        #expect(decisions.contains { if case .granted(_, vm, _) = $0 { true } else { false } })
    }

    @Test(
        "any changed word of a part is refused, or makes another Arbiter: neither then nor later does it trap",
        arguments: [0, 1, 55, 60, 62, 63, 64], [0, 1, -1_000])
    func damaged(power: Int, beside: Int64) throws {
        let value = UInt64(1) << UInt64(power) &+ UInt64(bitPattern: beside)
        var caller = RandomCaller(seed: 12)
        for _ in 0..<150 { caller.act() }
        let records = caller.records
        var taken = 0
        for index in records.host.indices {
            var changed = records
            changed.host[index] = value
            if Self.lives(changed) { taken += 1 }
        }
        for place in records.accounts.indices {
            for index in records.accounts[place].1.indices {
                var changed = records
                changed.accounts[place].1[index] = value
                if Self.lives(changed) { taken += 1 }
            }
        }
        for place in records.virtualMachines.indices {
            for index in records.virtualMachines[place].words.indices {
                var changed = records
                changed.virtualMachines[place].words[index] = value
                if Self.lives(changed) { taken += 1 }
            }
        }
        #expect(taken > 10, "nearly everything was refused")
    }

    /// Whether the records are taken. What comes of them then answers operators, and lives on for an hour.
    private static func lives(_ records: ArbiterRecords) -> Bool {
        let now = Instant(sinceBoot: .seconds(1_000_000))
        guard
            let arbiter = try? Arbiter.rebuilt(
                from: records, configuration: Configuration(), virtualMachines: 6, now: now)
        else { return false }
        var life = RestoredLife(arbiter, at: now)
        life.live()
        return true
    }

    @Test("a part is never longer than its place, and few words shorter than what was planned for")
    func sizes() throws {
        var longest = (host: 0, vm: 0)
        for seed in 1...20 as ClosedRange<UInt64> {
            var caller = RandomCaller(seed: seed)
            for _ in 0..<200 {
                caller.act()
                let records = caller.records
                longest.host = max(longest.host, records.host.count)
                longest.vm = max(longest.vm, records.virtualMachines.map(\.words.count).max() ?? 0)
            }
        }
        #expect(longest.host <= 85)
        #expect(longest.vm <= 85)
        #expect(longest.vm > 50)
    }
}

extension Arbiter {
    /// Everything that a daemon keeps of an Arbiter.
    var records: ArbiterRecords {
        var host: [UInt64] = []
        saveHost(into: &host)
        var opened: [(AccountID, [UInt64])] = []
        for slot in accounts.indices where accounts[slot] != nil {
            var words: [UInt64] = []
            saveAccount(AccountID(slot: UInt32(slot)), into: &words)
            opened.append((AccountID(slot: UInt32(slot)), words))
        }
        var machines: [(slot: UInt32, words: [UInt64])] = []
        for slot in virtualMachines.indices {
            var words: [UInt64] = []
            saveVirtualMachine(inSlot: UInt32(slot), into: &words)
            machines.append((UInt32(slot), words))
        }
        return ArbiterRecords(host: host, accounts: opened, virtualMachines: machines)
    }
}
