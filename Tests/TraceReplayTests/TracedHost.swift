import Arbiter
import TraceFormat
import TraceReplay

/// Guests that ask again and again and VMs that launch, in virtual time, with a trace in memory. All from a seed.
struct TracedHost: ~Copyable {
    struct Client {
        var vm: VMID
        /// Between its turn's end and its next request; asked in one message with the release if zero.
        var pause: Nanoseconds
        var isLaunching = false
        var session: SessionID?
        var pagesLeft: UInt32 = 0
        /// When it asks next; `nil` while it waits or is served.
        var asksAt: Instant?
        var turn: (id: TurnID, ends: Instant, units: UInt32)?
    }

    private var arbiter: Arbiter
    private var ring: TraceRing
    private(set) var words: [UInt64]
    private(set) var now = Instant(sinceBoot: .seconds(100))
    private var clients: [Client] = []
    private var decisions: [Decision] = []
    private var lastTag: UInt64 = 0
    private var random: UInt64
    private(set) var calls = 0
    /// Every decision that was made.
    private(set) var log: [Decision] = []

    init(_ configuration: Configuration = Configuration(), seed: UInt64, wordsInSegment: Int = 1 << 14) {
        random = seed
        arbiter = Arbiter(configuration: configuration, virtualMachines: 16, now: now)
        let shape = TraceShape(segments: 3, wordsInSegment: wordsInSegment)
        ring = TraceRing(shape)
        words = Array(repeating: 0, count: shape.words)
        let origin = TraceOrigin(
            epoch: 7, startedAt: 100, startedAtSinceEpoch: 1_800_000_000_000_000_000, programVersion: "test")
        write { $0.begin(origin, into: &$1) }
    }

    private mutating func draw(_ count: UInt64) -> UInt64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (random >> 33) % count
    }

    /// So that no two things happen at the same time.
    private mutating func jittered(_ time: Nanoseconds) -> Nanoseconds { time + Nanoseconds(Int64(draw(99_991))) }

    // MARK: Calls

    /// Begins a segment, as the daemon does when there is time.
    mutating func beginSegment() {
        var state: [UInt64] = []
        arbiter.save(into: &state)
        let (now, first) = (now, clients.first?.vm)
        write { ring, words in
            precondition(ring.beginSegment(state: state, names: 1, into: &words), "the segments are too small")
            if let first { ring.name(first, Array("first".utf8), into: &words) }
            ring.openSegment(at: now, sinceEpoch: 0, into: &words)
        }
    }

    private mutating func write(_ body: (inout TraceRing, inout MutableSpan<UInt64>) -> Void) {
        var written = ring
        var span = words.mutableSpan
        body(&written, &span)
        ring = written
    }

    @discardableResult
    mutating func call(_ call: ArbiterCall) -> CallOutcome {
        if ring.needsSegment { beginSegment() }
        let outcome = arbiter.perform(call, now: now, into: &decisions)
        let (now, made) = (now, decisions)
        write { $0.record(call, outcome, made, from: 0, at: now, into: &$1) }
        calls += 1
        log += made
        decisions.removeAll()
        for decision in made { hear(decision) }
        return outcome
    }

    private mutating func hear(_ decision: Decision) {
        switch decision {
        case .granted(let id, _, let grant):
            let client = Int(id.origin)
            let time: Nanoseconds =
                grant.kind.commandClass == .launch
                ? .microseconds(900) * Int64(grant.units) : .microseconds(7_000)
            clients[client].turn = (grant.turn, now + jittered(time), grant.units)
        case .busy(let id, _, _): clients[Int(id.origin)].asksAt = now + jittered(.milliseconds(2_046))
        default: break
        }
    }

    // MARK: Clients

    mutating func add(
        _ registration: Registration = Registration(reservationWanted: .zero), pause: Nanoseconds = .milliseconds(2),
        launches: Bool = false, account: AccountID
    ) {
        guard case .admitted(let admission) = call(.register(registration, account)) else {
            preconditionFailure("not admitted")
        }
        clients.append(Client(vm: admission.vm, pause: pause, isLaunching: launches, asksAt: now + jittered(pause)))
    }

    mutating func openAccount() -> AccountID {
        guard case .accountOpened(let account) = call(.openAccount) else { preconditionFailure("no account") }
        return account
    }

    mutating func run(for duration: Nanoseconds) {
        let end = now + duration
        while let next = [clients.compactMap(\.asksAt).min(), clients.compactMap(\.turn?.ends).min(), arbiter.nextWake]
            .compactMap(\.self).min(), next <= end
        {
            now = max(now, next)
            if let client = clients.firstIndex(where: { $0.turn.map { $0.ends <= now } ?? false }) {
                release(client)
            } else if let client = clients.firstIndex(where: { $0.asksAt.map { $0 <= now } ?? false }) {
                ask(client)
            } else {
                call(.advance)
            }
        }
        now = end
    }

    private mutating func request(_ client: Int) -> ArbiterCall.Request {
        lastTag += 1
        let id = RequestID(origin: UInt64(client), tag: lastTag)
        guard clients[client].isLaunching else { return .init(id: id, kind: .report, units: 1, maxWait: nil) }
        let left = clients[client].pagesLeft
        return .init(
            id: id, kind: left == 0 ? .launchFinish : .launchUpdate, units: max(left, 1), maxWait: nil)
    }

    private mutating func ask(_ client: Int) {
        clients[client].asksAt = nil
        if clients[client].isLaunching, clients[client].session == nil {
            let outcome = call(.beginLaunch(LaunchPlan(pages: 70), clients[client].vm))
            guard case .launchBegun(let session) = outcome else {
                clients[client].asksAt = now + jittered(.seconds(1))
                return
            }
            clients[client].session = session
            clients[client].pagesLeft = 70
        }
        call(.acquire(request(client), clients[client].vm))
    }

    private mutating func release(_ client: Int) {
        guard let turn = clients[client].turn else { return }
        let vm = clients[client].vm
        clients[client].turn = nil
        let outcome = TurnOutcome(unitsDone: turn.units)
        if clients[client].isLaunching {
            call(.release(turn.id, outcome, vm))
            launchWentOn(client, turn.units)
        } else if clients[client].pause == .zero {
            call(.releaseAndAcquire(turn.id, outcome, request(client), vm))
        } else {
            call(.release(turn.id, outcome, vm))
            clients[client].asksAt = now + jittered(clients[client].pause)
        }
    }

    private mutating func launchWentOn(_ client: Int, _ units: UInt32) {
        if clients[client].pagesLeft > 0 {
            clients[client].pagesLeft -= min(units, clients[client].pagesLeft)
            clients[client].asksAt = now + jittered(.microseconds(150))
        } else if let session = clients[client].session {
            call(.endLaunch(session, clients[client].vm))
            clients[client].session = nil
            clients[client].asksAt = now + jittered(.milliseconds(700))
        }
    }

    // MARK: The trace

    var bytes: [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * $0)) } }
    }

    func file() throws -> TraceFile { try TraceFile(bytes) }

    /// Changes one word of the trace.
    mutating func change(_ word: Int, _ body: (inout UInt64) -> Void) { body(&words[word]) }

    /// A host on which much goes on.
    static func busy(
        seed: UInt64, wordsInSegment: Int = 1 << 14, configuration: Configuration = Configuration()
    ) -> TracedHost {
        var host = TracedHost(configuration, seed: seed, wordsInSegment: wordsInSegment)
        let account = host.openAccount()
        for index in 0..<8 as Range<Int64> {
            host.add(
                Registration(
                    reservationWanted: index % 3 == 0 ? .perSecond(2) : .zero,
                    limit: index == 5 ? .perSecond(1) : nil, guestWaitMax: index == 4 ? .milliseconds(20) : nil),
                pause: index < 2 ? .zero : .milliseconds(3 * index), account: account)
        }
        for _ in 0..<2 { host.add(launches: true, account: account) }
        return host
    }
}
