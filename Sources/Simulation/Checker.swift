import Arbiter

/// Watches what goes into an Arbiter and what comes out, and says when a rule is broken.
///
/// It keeps its own books, from nothing but requests and decisions, and shares no code with the rules that it checks.
/// Where it cannot know (a bucket's level), it leaves a case out rather than believe the Arbiter. Every look-up is O(1)
/// in VMs: a million worlds are played.
struct Checker {
    let configuration: Configuration
    /// Whether everyone keeps to what the promises presuppose.
    var isHonest: Bool
    let judgesHolds: Bool

    var tenants: [TenantView]
    /// Which tenant has the VM slot of this number, and one more.
    private var tenantsOfSlots: [Int32] = []
    /// Tenants with a session open.
    var launching: [Int] = []
    var open: OpenRequests
    var turns: [OpenTurn] = []
    var device = DeviceState.alive
    var isDraining = false
    var clock: Instant
    var probeIsUnderWay = false
    var sessionsBegun: Int64 = 0

    var largest: LargestOccupancies
    var floorWindow = FloorWindow()
    var launchWork = LaunchWork()
    var reservedBursts = ReservedBursts()
    var fairness: FairnessBooks
    var worst = PromiseRatios()
    var counts = WorldCounts()

    init(configuration: Configuration, tenants count: Int, isHonest: Bool, judgesHolds: Bool, now: Instant) {
        self.configuration = configuration
        self.isHonest = isHonest
        self.judgesHolds = judgesHolds
        tenants = Array(repeating: TenantView(), count: count)
        open = OpenRequests(tenants: count)
        clock = now
        largest = LargestOccupancies(configuration)
        fairness = FairnessBooks(
            tenants: count, guestTurn: configuration.planningCosts.report, now: now)
    }

    func broken(_ rule: Rule, _ what: String) -> Violation { Violation(rule: rule, at: clock, what: what) }

    func tenant(of vm: VMID) -> Int? {
        guard vm.slot < tenantsOfSlots.count else { return nil }
        let tenant = Int(tenantsOfSlots[Int(vm.slot)]) - 1
        return tenant >= 0 && tenants[tenant].vm == vm ? tenant : nil
    }

    mutating func setTenant(_ tenant: Int, of vm: VMID) {
        while tenantsOfSlots.count <= vm.slot { tenantsOfSlots.append(0) }
        tenantsOfSlots[Int(vm.slot)] = Int32(tenant) + 1
    }

    var deviceMayBeUsed: Bool { device == .alive || device == .absent }
}

/// What the checker knows of one VM.
struct TenantView {
    var vm: VMID?
    var registration = Registration()
    var reservation = Rate.zero
    var guestWaitMax = Nanoseconds.zero
    var session: SessionView?
    var hasLaunched = false
    var gaps = GapBooks()
    /// Its own bucket of the reservation, and whether it ever asked for more.
    var theoreticalArrival = Instant.distantPast
    var exceedsReservation = false
    /// Its own bucket of the limit.
    var limitArrival = Instant.distantPast
    /// When the guest first asked for what it was refused.
    var firstAttempt: Instant?
}

/// A turn that has not ended.
struct OpenTurn {
    let id: TurnID
    let tenant: Int?
    let vm: VMID
    let kind: CommandKind
    let origin: UInt64
    let grantedAt: Instant
    let lease: Nanoseconds
    let isProxy: Bool
    /// A guest's that was aged.
    let isAged: Bool

    var commandClass: CommandClass { kind.commandClass }
    var isWholeLaunch: Bool { kind == .wholeLaunch }
}

/// s_g, s_l, s_o: the largest occupancies that occurred, and never less than the planning costs.
struct LargestOccupancies {
    var guest: Nanoseconds
    var launch: Nanoseconds
    var platform = Nanoseconds.zero

    init(_ configuration: Configuration) {
        let costs = configuration.planningCosts
        guest = costs.report
        launch = max(
            costs.launchPage * Int64(configuration.chunkPages), costs.launchStart, costs.launchFinish + costs.launchPage
        )
    }

    mutating func note(_ occupancy: Nanoseconds, _ turn: OpenTurn) {
        switch turn.commandClass {
        case .guest: guest = max(guest, occupancy)
        case .launch where !turn.isWholeLaunch: launch = max(launch, occupancy)
        case .launch: break
        case .platform: platform = max(platform, occupancy)
        }
    }
}

/// What happened in one world.
public struct WorldCounts: Sendable, Equatable {
    public var steps = 0
    public var grants = 0
    public var refusals = 0
    public var launchesDone = 0
    public var overdueTurns = 0
    public var reloads = 0
}
