/// The scheduler: events and the time go in, decisions and the next wake-up come out. Pure; one owner; never blocks.
///
///            acquire ──► queued ──► granted ──► (held by the client) ──► release
///                           │                        │
///                           ├──► busy                └──► overdue ──► probe ──► revoked
///                           └──► cancel
///
/// On each event, when the SP is free, `dispatch` asks in this order (the rules of `docs/architecture.md`):
///
/// 1. platform work that has waited a second, one command a second;
/// 2. the guest floor, when a launch uses or holds the SP and the floor's bucket covers the first guest request;
/// 3. the first launch session that has a command ready;
/// 4. a hold: the SP is kept for an earlier session that is about to issue its next command;
/// 5. other platform work;
/// 6. guests: aged, then reserved, then shared.
///
/// Every entry point that can decide first runs the timers that have come due, so that a late caller sees what a
/// punctual one would; `register` and `beginLaunch`, which answer at once, leave them to the next.
/// Nothing allocates after `init` but what a refused caller's own buffer needs; every step is O(log n) in VMs.
///
/// What the hot path asks without changing anything is `@inline(__always)`, and no closure there captures `self`: the
/// compiler otherwise hands the callee a copy of the whole Arbiter, 1.3 KB at each call.
public struct Arbiter: ~Copyable {
    public internal(set) var configuration: Configuration

    // MARK: Who there is

    var virtualMachines: [VirtualMachine]
    var freeSlots: [UInt32]
    var accounts: [Account?]
    var ledger: AdmissionLedger

    // MARK: The SP

    /// The outstanding turn, and the one guest turn that may stand beside a whole-launch turn.
    var turn: Turn?
    var turnBeside: Turn?
    var device = DeviceWatch()
    public internal(set) var isDraining = false
    /// Nothing is granted: clients are still saying what they waited for when the daemon was restarted.
    public internal(set) var isPaused = false

    // MARK: Launches

    /// All open sessions in their order, with what each still has to do.
    var sessions: RankedIndex
    /// Sessions with a command ready, divisible and indivisible; sessions that hold; sessions active within a second.
    var ready: IndexedHeap
    var readyLong: IndexedHeap
    var holding: IndexedHeap
    var recent: IndexedHeap
    var gaps: GapHistory
    var overload: LaunchOverload
    var wasOverloaded = false
    /// A launch command that arrived in this step and has not been told of its place.
    var newcomer: Int?
    /// The session for which the SP is being kept right now.
    var heldFor: Int?

    // MARK: Guests

    var aged: IndexedHeap
    /// Requests inside a reservation by arrival; the same by tag, for when reservations are suspended.
    var reserved: IndexedHeap
    var reservedByTag: RankedIndex
    var shared: RankedIndex
    /// Reserved requests that wait beyond the short wait.
    var patient: IndexedHeap
    var fairShare: FairShare
    var floor: FloorBucket
    var floorWaiters = 0

    // MARK: Platform

    var platform = PlatformQueue()

    // MARK: Time

    var timers: TimerQueue
    var clock: Instant
    /// When the call came that is being worked on. Timers that came due before it run with an earlier `clock`; what the
    /// owner is told to do now, it does no earlier than this.
    var calledAt: Instant
    /// When something changes that no timer knows: the end of a hold, the floor covering a guest.
    var dispatchAgainAt: Instant?
    /// When `advance` may have something to do, if no other event comes before. Never too late; sometimes for nothing.
    /// Kept, not computed: its reader would be handed a copy of everything else.
    public internal(set) var nextWake: Instant?

    var costs: CostModel
    var sequence: Int64 = 0
    var lastTurn: UInt64 = 0
    var lastSession: UInt64 = 0
    var totals = Totals()

    public init(configuration: Configuration, virtualMachines count: Int = Limits.defaultVMs, now: Instant) {
        self.configuration = configuration
        virtualMachines = Array(repeating: VirtualMachine(), count: count)
        freeSlots = (0..<UInt32(count)).reversed()
        accounts = Array(repeating: nil, count: Limits.accounts)
        ledger = AdmissionLedger(configuration)
        sessions = RankedIndex(capacity: count)
        ready = IndexedHeap(capacity: count)
        readyLong = IndexedHeap(capacity: count)
        holding = IndexedHeap(capacity: count)
        recent = IndexedHeap(capacity: count)
        gaps = GapHistory(virtualMachines: count)
        overload = LaunchOverload(
            reservePerSecond: configuration.launchReservePerSecond, burst: configuration.launchBurst)
        aged = IndexedHeap(capacity: count)
        reserved = IndexedHeap(capacity: count)
        reservedByTag = RankedIndex(capacity: count)
        shared = RankedIndex(capacity: count)
        patient = IndexedHeap(capacity: count)
        fairShare = FairShare(guestTurn: ledger.guestTurn)
        floor = FloorBucket(
            share: configuration.floorShare, delay: configuration.floorDelay,
            largestGuestTurn: ledger.guestTurn, largestLaunchTurn: ledger.launchTurn)
        timers = TimerQueue(capacity: Timer.capacity(virtualMachines: count))
        clock = now
        calledAt = now
        costs = CostModel(planning: configuration.planningCosts, virtualMachines: count)
    }

    /// The slot of a registered VM.
    @inline(__always)
    func slot(of vm: VMID) throws(RequestError) -> Int {
        guard let slot = existingSlot(of: vm) else { throw .unknownVM }
        return slot
    }

    @inline(__always)
    func existingSlot(of vm: VMID) -> Int? {
        let slot = Int(vm.slot)
        guard slot < virtualMachines.count, virtualMachines[slot].isRegistered,
            virtualMachines[slot].generation == vm.generation
        else { return nil }
        return slot
    }

    @inline(__always)
    func id(ofSlot slot: Int) -> VMID {
        VMID(slot: UInt32(slot), generation: virtualMachines[slot].generation)
    }

    mutating func nextSequence() -> Int64 {
        sequence += 1
        return sequence
    }
}

/// What an account may do, and has done.
struct Account: Sendable {
    var virtualMachines = 0
    var reserved = Rate.zero
    var launchDebt = LaunchDebt()
    /// Until when the reservations of its VMs that left are used up: registering anew must not fill a bucket again.
    var reservationsUsedUntil = Instant.distantPast
}

/// What happened since the Arbiter began, over all VMs.
public struct Totals: Equatable, Sendable {
    public var guestTurns: UInt64 = 0
    public var launchTurns: UInt64 = 0
    public var platformTurns: UInt64 = 0
    public var launches: UInt64 = 0
    public var refusals: UInt64 = 0
    public var overdueTurns: UInt64 = 0
    public var floorTurns: UInt64 = 0
    public var guestService = Nanoseconds.zero
    public var launchService = Nanoseconds.zero
    public var platformService = Nanoseconds.zero
    /// SP time left idle in holds while something else waited.
    public var holdCost = Nanoseconds.zero

    public init() {}
}
