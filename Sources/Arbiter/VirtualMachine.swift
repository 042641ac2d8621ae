/// Everything the Arbiter keeps of one registered VM.
struct VirtualMachine: Sendable {
    var generation: UInt32 = 0
    var isRegistered = false
    var account = AccountID(slot: 0)

    // MARK: Its level of service, fixed while it lives

    var reservation = Rate.zero
    var limit: Rate?
    var weight = Weight(1)
    var burst: Int64 = 1
    var retryPolicy = RetryPolicy.linux
    var guestWaitMax = Nanoseconds.zero

    // MARK: Its buckets

    var reservationBucket = CellRate()
    var limitBucket = CellRate()
    /// Its tag in the virtual time of the shared part.
    var tag: Int64 = 0
    var launchDebt = LaunchDebt()

    // MARK: Its guest

    var phase = GuestPhase.idle
    var guest: GuestRequest?
    /// Of the request that was refused and is expected back; `nil` once it was served or is no longer expected.
    var firstAttempt: Instant?
    var refusedAt: Instant?
    var refusals = 0
    /// Whether the shared part counts it in its sum of weights, and the floor among its waiters.
    var isBacklogged = false
    var isWaitingForFloor = false
    /// The next request skips the limit: the first after a launch.
    var skipsLimit = false
    var lastSkip = Instant.distantPast

    var counters = VMCounters()

    // MARK: Its launch

    var session: LaunchSession?

    /// Whether its guest was refused and has not been away for longer than its retries may be apart.
    func isExpectedBack(at now: Instant) -> Bool {
        guard let refusedAt else { return false }
        return now - refusedAt < Limits.backlogMemory
    }

    /// Its request has its turn: what refusals left behind is over.
    mutating func guestIsServed() {
        phase = .inService
        firstAttempt = nil
        refusedAt = nil
        refusals = 0
    }

    /// Its request comes again after a restart. An attempt that must not be refused stays one, and goes before the
    /// others when it would have: its guest is frozen all the while.
    mutating func keepAge(of guest: GuestRequest) {
        guard guest.isProtected else { return }
        if retryPolicy == .once { refusals = max(refusals, 1) }
        let frozenSince = guest.arrivedAt + (Limits.protectedAgedAfter - Limits.agedAfter)
        firstAttempt = min(firstAttempt ?? frozenSince, frozenSince)
    }

    mutating func guestTurnEnded(_ occupancy: Nanoseconds) {
        counters.guestTurns += 1
        counters.guestService += occupancy
        guest = nil
        phase = .idle
    }

    func reservationTolerance() -> Nanoseconds { reservation.interval * (burst - 1) }

    /// Never less than a retry quantum, so that a guest's own sleep cannot overflow its bucket.
    func limitTolerance(_ limit: Rate) -> Nanoseconds { max(limit.interval * (burst - 1), Limits.retryQuantum) }
}

/// What happened to one VM since it registered.
public struct VMCounters: Equatable, Sendable {
    public var guestTurns: UInt64 = 0
    public var launchTurns: UInt64 = 0
    public var launches: UInt64 = 0
    public var refusals: UInt64 = 0
    public var overdueTurns: UInt64 = 0
    /// SP time charged: occupancy, grant to release or end of lease.
    public var guestService = Nanoseconds.zero
    public var launchService = Nanoseconds.zero

    public init() {}
}
