import Glibc
import Testing

@testable import Arbiter

/// Goal: the hot path allocates nothing. Method: a world in steady state, in a process of its own, with every
/// allocation of the Swift runtime counted.
@Suite("Allocations")
struct AllocationTests {
    @Test("ten thousand turns, with launches, holds, BUSY and retries, allocate nothing")
    func steadyState() async {
        await #expect(processExitsWith: .success) {
            guard AllocationCounter.install() else { exit(EX_UNAVAILABLE) }
            var world = try SteadyWorld(guests: 24)
            try world.run(turns: 2_000)
            let before = AllocationCounter.count
            // A harness that cannot see an allocation proves nothing.
            let seen = [before, before + 1].count
            precondition(AllocationCounter.count >= before + 1 && seen == 2, "the counter does not count")
            let start = AllocationCounter.count
            try world.run(turns: 10_000)
            let allocations = AllocationCounter.count - start
            precondition(world.refusals > 0 && world.launches > 10, "the world is too quiet")
            precondition(allocations == 0, "\(allocations) allocations in 10000 turns")
        }
    }

    @Test("saving the state allocates nothing where there is room for it")
    func savedState() async {
        await #expect(processExitsWith: .success) {
            guard AllocationCounter.install() else { exit(EX_UNAVAILABLE) }
            var world = try SteadyWorld(guests: 24)
            try world.run(turns: 2_000)
            var words: [UInt64] = []
            words.reserveCapacity(20_000)
            world.save(into: &words)
            words.removeAll(keepingCapacity: true)
            let start = AllocationCounter.count
            world.save(into: &words)
            let allocations = AllocationCounter.count - start
            precondition(words.count > 500, "the state is too small")
            precondition(allocations == 0, "\(allocations) allocations for one state")
        }
    }
}

/// Guests that ask as soon as they may, and one VM that launches again and again. It allocates nothing itself.
private struct SteadyWorld: ~Copyable {
    private var arbiter: Arbiter
    private var decisions: [Decision] = []
    private var now = Instant(sinceBoot: .seconds(1))
    private var vms: [VMID] = []
    /// When each VM asks next; the distant future while it waits.
    private var asks: [Instant] = []
    private var held: Grant?
    private var holder = VMID.none
    private var session: SessionID?
    private var pagesLeft: UInt32 = 0
    private var lastTag: UInt64 = 0
    private var turns = 0
    private(set) var refusals = 0
    private(set) var launches = 0

    init(guests: Int) throws {
        arbiter = Arbiter(configuration: Configuration(), virtualMachines: guests + 1, now: now)
        decisions.reserveCapacity(64)
        guard let account = arbiter.openAccount() else { return }
        for index in 0...guests {
            let registration = Registration(
                reservationWanted: index % 2 == 0 ? .perSecond(1) : .zero, limit: index % 5 == 0 ? .perSecond(2) : nil,
                guestWaitMax: index % 3 == 0 ? .milliseconds(20) : nil)
            vms.append(try arbiter.register(registration, account: account, now: now).vm)
            asks.append(now)
        }
    }

    func save(into words: inout [UInt64]) { arbiter.save(into: &words) }

    mutating func run(turns count: Int) throws {
        let end = turns + count
        while turns < end {
            if let grant = held {
                try finish(grant)
            } else if let slot = asks.indices.min(by: { asks[$0] < asks[$1] }), asks[slot] <= now {
                try ask(slot)
            } else {
                let next = asks.min() ?? .distantFuture
                now = max(now, min(next, arbiter.nextWake ?? next))
                arbiter.advance(to: now, into: &decisions)
                take()
            }
        }
    }

    private mutating func finish(_ grant: Grant) throws {
        now += grant.kind == .launchUpdate ? .milliseconds(Int64(grant.units)) : .microseconds(7_500)
        held = nil
        turns += 1
        let slot = Int(holder.slot)
        asks[slot] = now + .microseconds(300)
        try arbiter.release(grant.turn, TurnOutcome(unitsDone: grant.units), of: holder, now: now, into: &decisions)
        if grant.kind == .launchUpdate { pagesLeft -= grant.units }
        if grant.kind == .launchFinish, let session {
            try arbiter.endLaunch(session, of: holder, now: now, into: &decisions)
            self.session = nil
            launches += 1
            asks[slot] = now + .milliseconds(400)
        }
        take()
    }

    private mutating func ask(_ slot: Int) throws {
        asks[slot] = .distantFuture
        lastTag += 1
        let request = RequestID(origin: UInt64(slot), tag: lastTag)
        var kind = CommandKind.report
        var units: UInt32 = 1
        if slot == 0 {
            if session == nil {
                session = try arbiter.beginLaunch(LaunchPlan(pages: 70), of: vms[0], now: now)
                pagesLeft = 70
                kind = .launchStart
            } else {
                kind = pagesLeft > 0 ? .launchUpdate : .launchFinish
                units = max(pagesLeft, 1)
            }
        }
        try arbiter.acquire(
            kind, units: units, maxWait: nil, request: request, of: vms[slot], now: now, into: &decisions)
        take()
    }

    private mutating func take() {
        for decision in decisions {
            switch decision {
            case .granted(_, let vm, let grant): (holder, held) = (vm, grant)
            case .busy(_, let vm, _):
                refusals += 1
                asks[Int(vm.slot)] = now + Limits.retryQuantum
            default: break
            }
        }
        decisions.removeAll(keepingCapacity: true)
    }
}
