import Arbiter

/// Watches what goes into an Arbiter and what comes out, and says when a rule is broken.
///
/// It keeps its own books, from nothing but requests and decisions, and shares no code with the rules that it checks.
/// Where it cannot know (a bucket's level), it leaves a case out rather than believe the Arbiter.
struct Checker {
    let configuration: Configuration
    /// Whether everyone keeps to what the promises presuppose.
    let isHonest: Bool

    var tenants: [TenantView]
    var open: [OpenRequest] = []
    var turns: [OpenTurn] = []
    var device = DeviceState.alive
    var isDraining = false
    var clock: Instant
    /// Since when the SP may have been used again, after it could not be.
    var unusableUntil = Instant.distantPast
    var probeIsUnderWay = false
    var sessionsBegun: Int64 = 0

    var largest = LargestOccupancies()
    var floorWindow = FloorWindow()
    var launchWork: Int64 = 0
    var launchWorkWasExceeded = false
    var worst = PromiseRatios()
    var counts = WorldCounts()
    /// What each tenant's guest turns came to, for the measures of fairness.
    var guestServices: [GuestService] = []

    init(configuration: Configuration, tenants count: Int, isHonest: Bool, now: Instant) {
        self.configuration = configuration
        self.isHonest = isHonest
        tenants = Array(repeating: TenantView(), count: count)
        clock = now
        largest = LargestOccupancies(configuration)
    }

    func broken(_ rule: Rule, _ what: String) -> Violation { Violation(rule: rule, at: clock, what: what) }

    func tenant(of vm: VMID) -> Int? { tenants.firstIndex { $0.vm == vm } }

    var deviceMayBeUsed: Bool { device == .alive || device == .absent }
}

/// What the checker knows of one VM.
struct TenantView {
    var vm: VMID?
    var registration = Registration()
    var reservation = Rate.zero
    var reservedWait = Nanoseconds.zero
    var guestWaitMax = Nanoseconds.zero
    var session: SessionView?
    /// The gaps between its launch commands, the last hundred, over its sessions.
    var gaps: [Nanoseconds] = []
    /// Its own bucket of the reservation, and whether it ever asked for more.
    var theoreticalArrival = Instant.distantPast
    var exceedsReservation = false
    /// When the guest first asked for what it was refused.
    var firstAttempt: Instant?
}

/// A request that has had no terminal reply.
struct OpenRequest {
    let id: RequestID
    let tenant: Int?
    let kind: CommandKind
    let units: UInt32
    let arrivedAt: Instant
    let deadline: Instant
    /// Sent while another guest request of the VM was outstanding: it must be refused at once.
    let isExtra: Bool
    /// Inside the reservation, by the checker's own bucket.
    var isInsideReservation = false
    /// How many platform commands had begun when it came.
    var platformBefore: Int64 = 0
    /// Its client has hung up: a reply may still come in the same step, none is owed.
    var isWithdrawn = false
    let firstAttempt: Instant

    var commandClass: CommandClass { kind.commandClass }
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
    let firstAttempt: Instant

    var isWholeLaunch: Bool { kind == .wholeLaunch }
}

/// One guest turn that has ended.
public struct GuestService: Sendable {
    public let tenant: Int
    public let service: Nanoseconds
    public let endedAt: Instant
    /// Whether it may have been served for its age, and not by its share.
    public let isAged: Bool
}

/// s_g, s_l, s_o: the largest occupancies that occurred, and never less than the planning costs.
struct LargestOccupancies {
    var guest = Nanoseconds.zero
    var launch = Nanoseconds.zero
    var platform = Nanoseconds.zero

    init() {}

    init(_ configuration: Configuration) {
        let costs = configuration.planningCosts
        guest = costs.report
        launch = max(
            costs.launchPage * Int64(configuration.chunkPages), costs.launchStart, costs.launchFinish + costs.launchPage
        )
    }

    mutating func note(_ occupancy: Nanoseconds, _ turn: OpenTurn) {
        switch turn.kind.commandClass {
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
}
