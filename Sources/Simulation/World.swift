import Arbiter
import SPModel

/// The production Arbiter in a host of virtual time: an SP, guests, launching clients and an operator, all from a seed.
///
/// ```
///   agenda (guests, clients, SP, operator) --> Arbiter --> decisions --> checker, then those they concern
///        ^                                                                        |
///        +------------------------- what they do next ----------------------------+
/// ```
///
/// After every step the checker and the Arbiter's own invariants are asked.
public struct World: ~Copyable {
    let scenario: Scenario
    var arbiter: Arbiter
    var checker: Checker
    var agenda = Agenda()
    var random: SplitMix64
    var tenants: [Tenant]
    var accounts: [AccountID] = []
    var decisions: [Decision] = []
    /// Those of the step before, while they are being heard.
    var concerned: [Decision] = []
    var now = Instant(sinceBoot: .seconds(1_000))
    let endsAt: Instant

    var turns: [HeldTurn] = []
    var platformRequests: [RequestID] = []
    var spIsFreeAt = Instant.distantPast
    var lastTag: UInt64 = 0
    var floorTurns: UInt64 = 0
    var isSettling = false
    /// Wake-ups that followed one another with nothing between.
    var wakesInARow = 0
    var mutationIsDone = false
    /// What a timeline shows, if one is wanted.
    let recordsTimeline: Bool
    var timeline: [TimelineNote] = []
    /// Told of every step, where somebody wants to read along.
    let tell: ((String) -> Void)?

    public init(_ scenario: Scenario, tell: ((String) -> Void)? = nil) {
        self.init(scenario, recordsTimeline: false, tell: tell)
    }

    init(_ scenario: Scenario, recordsTimeline: Bool, tell: ((String) -> Void)? = nil) {
        self.scenario = scenario
        self.tell = tell
        self.recordsTimeline = recordsTimeline
        random = SplitMix64(seed: scenario.seed ^ 0x5350_5343_4845_4444)
        let configuration = scenario.mutation?.applied(to: scenario.configuration) ?? scenario.configuration
        arbiter = Arbiter(configuration: configuration, virtualMachines: scenario.tenants.count + 1, now: now)
        checker = Checker(
            configuration: scenario.configuration, tenants: scenario.tenants.count, isHonest: scenario.isHonest,
            judgesHolds: scenario.judgesHolds, now: now)
        tenants = scenario.tenants.map(Tenant.init)
        endsAt = now + scenario.duration
        for _ in 0..<scenario.accounts {
            if let account = arbiter.openAccount() { accounts.append(account) }
        }
        for index in tenants.indices { agenda.plan(.arrive(tenant: index), at: now + scenario.tenants[index].arrives) }
        if let every = scenario.platformEvery { agenda.plan(.platform, at: now + every) }
        if let every = scenario.reloadEvery { agenda.plan(.reload, at: now + every) }
        if !scenario.disturbances.kinds.isEmpty { agenda.plan(.disturb, at: now + scenario.disturbances.every) }
    }

    public var ratios: PromiseRatios { checker.worst }
    public var counts: WorldCounts { checker.counts }

    /// Plays the world to its end, and then until all is quiet: nobody may be left without an answer.
    public mutating func run() throws(Violation) {
        while let next = earliest(), next <= endsAt, checker.counts.steps < scenario.stepsMax { try step(next) }
        isSettling = true
        endDisturbances()
        var steps = 0
        while !isQuiet, let next = earliest() {
            try step(next)
            steps += 1
            guard steps < 50_000 else { throw checker.broken(.wake, "the world does not come to rest") }
        }
        if let request = checker.open.first {
            throw checker.broken(.oneReply, "request \(request.id.tag) (\(request.kind)) never got a reply")
        }
        try checkAdmission()
    }

    private var isQuiet: Bool { checker.open.isEmpty && turns.isEmpty && checker.turns.isEmpty }

    private func earliest() -> Instant? {
        guard let wake = nextWake else { return agenda.next }
        return agenda.next.map { min($0, wake) } ?? wake
    }

    var nextWake: Instant? {
        guard let wake = arbiter.nextWake else { return nil }
        return scenario.mutation == .forgetsToWake ? wake + .seconds(5) : wake
    }

    private mutating func step(_ due: Instant) throws(Violation) {
        let latency = scenario.disturbances.latency
        now = max(now, latency > .zero && !isSettling ? due + random.draw(.zero...latency) : due)
        try checker.pass(to: now)
        let wakes = nextWake.map { $0 <= now } ?? false
        let happens = agenda.next.map { $0 <= now } ?? false
        if wakes, !happens || wakeIsFirst() {
            try wake()
        } else if let event = agenda.removeNext() {
            wakesInARow = 0
            try happen(event)
        }
    }

    private mutating func wakeIsFirst() -> Bool {
        switch scenario.ties {
        case .drawn: random.chance(perMille: 500)
        case .wakeFirst: true
        case .wakeLast: false
        }
    }

    private mutating func wake() throws(Violation) {
        wakesInARow += 1
        // Each timer of each VM may be due one after the other; more than that is a clock that makes no progress.
        guard wakesInARow < 40 * (tenants.count + 1) + 4_000 else {
            throw checker.broken(.wake, "wake-ups follow one another without end")
        }
        arbiter.advance(to: now, into: &decisions)
        tell?("\(stamp) wake")
        try settle()
    }

    private mutating func happen(_ event: Event) throws(Violation) {
        switch event {
        case .guest(let tenant, let life): if isAlive(tenant, life) { try guestActs(tenant) }
        case .launch(let tenant, let life): if isAlive(tenant, life) { try clientActs(tenant) }
        case .served(let turn): try served(turn)
        case .cancel(let request, let tenant, let life):
            if isAlive(tenant, life) { try cancel(request, tenant) }
        case .hangUp(let tenant, let life): if isAlive(tenant, life) { try hangUp(tenant) }
        case .arrive(let tenant): try arrive(tenant)
        case .depart(let tenant, let life): if isAlive(tenant, life) { try depart(tenant) }
        case .platform: try platformActs()
        case .probeReturns(let outcome): try probeReturns(outcome)
        case .disturb: try disturb()
        case .resume: try resume()
        case .reload: try reload()
        }
    }

    func tenant(of vm: VMID) -> Int? {
        guard let tenant = checker.tenant(of: vm), tenants[tenant].vm == vm else { return nil }
        return tenant
    }

    func isAlive(_ tenant: Int, _ life: Int) -> Bool { tenants[tenant].life == life && tenants[tenant].vm != nil }

    var stamp: String {
        let time = (now - Instant(sinceBoot: .seconds(1_000))).count / 1_000
        return "\(time / 1_000).\(String(time % 1_000 + 1_000).dropFirst()) ms"
    }

    mutating func newTag() -> UInt64 {
        lastTag += 1
        return lastTag
    }
}

/// One VM's place in the world. A new VM in it begins a new life.
struct Tenant {
    let plan: TenantPlan
    var life = 0
    var vm: VMID?
    var guest = GuestState()
    var launch = LaunchState()

    init(_ plan: TenantPlan) { self.plan = plan }

    /// The first connection, over which the launch goes, and the guest's own.
    var launchOrigin: UInt64 { UInt64(life) << 1 }
    var guestOrigin: UInt64 { UInt64(life) << 1 | 1 }
}

/// A turn as its holder and the SP see it.
struct HeldTurn {
    let id: TurnID
    let tenant: Int?
    let life: Int
    let vm: VMID
    let kind: CommandKind
    let units: UInt32
    /// When the holder returns it; `nil` if it never does.
    var endsAt: Instant?
    /// What the SP does for it.
    let service: Nanoseconds
}
