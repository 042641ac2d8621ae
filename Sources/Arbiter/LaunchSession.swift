/// One VM's LAUNCH_START … LAUNCH_FINISH.
struct LaunchSession: Sendable {
    let id: SessionID
    let plan: LaunchPlan
    let startedAt: Instant
    /// What its declared pages are predicted to cost.
    let declaredCost: Nanoseconds

    /// Its place among the sessions: smaller is served first.
    var orderKey: Int64
    var orderTie: Int64

    /// SP time it was charged, and SP time left idle for it while something else waited.
    var service = Nanoseconds.zero
    var holdCost = Nanoseconds.zero
    var pagesGranted: UInt32 = 0

    /// The command that waits for a turn. At most one.
    var command: LaunchCommand?
    var turnIsOutstanding = false
    var lastTurnEnded: Instant?
    var holdEnds = Instant.distantPast
    var lastActivity: Instant
    var hasIssued = false
    /// The connection by which its last command came.
    var origin: UInt64?

    /// Whether it issued a command within the last second, or is about to use the SP.
    func isActive(at now: Instant) -> Bool {
        hasIssued && (command != nil || turnIsOutstanding || now - lastActivity < Limits.sessionIdle)
    }

    /// What it still has to do by its own declaration.
    var remaining: Nanoseconds { max(declaredCost - service, .zero) }

    /// How much more idling the SP may do for this session.
    var holdAllowance: Nanoseconds {
        max(service / Limits.holdCostDivisor, Limits.holdCostMin) - holdCost
    }

    /// The pages from which on it counts as having lied: declared × 1.25.
    var pagesExcessive: UInt32 {
        let total = plan.pages.addingReportingOverflow(plan.pages / Limits.declaredPagesExcessDivisor)
        return total.overflow ? .max : total.partialValue
    }
}

/// One launch command that waits for a turn.
struct LaunchCommand: Sendable {
    let request: RequestID
    let kind: CommandKind
    let units: UInt32
    let arrivedAt: Instant
    let deadline: Instant

    /// Longer than a chunk, and indivisible: not granted in a gap that another session left.
    func isLong(chunkPages: UInt32) -> Bool {
        kind == .wholeLaunch || (kind == .launchFinish && units > chunkPages)
    }
}
