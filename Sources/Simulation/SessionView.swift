import Arbiter

/// What the checker knows of a launch session.
struct SessionView {
    let id: SessionID
    let plan: LaunchPlan
    /// Its place among the sessions: smaller is served first.
    var order: Int64
    var isProxy: Bool { plan.isProxy }

    var lastActivity: Instant
    var commandIsOpen = false
    var turnIsOutstanding = false
    var wentToTail = false
    var pagesGranted: Int64 = 0
    var lastTurnEnded: Instant?
    var wasOverdue = false
    var hungUp = false
    /// Whether it asked for a command since its last turn ended: the hold is over then, whatever became of it.
    var hasAskedSince = false
    /// How long the SP was kept idle for it while something else waited.
    var heldIdle = Nanoseconds.zero

    // MARK: For P1 and P2

    /// Whether no other session was open when it began.
    var isFirstInLine = false
    var firstCommand: Instant?
    var floorAtStart = Nanoseconds.zero
    /// What was in service at the first command: turns up to this one.
    var residualTurns = TurnID(number: 0)
    var residual = Nanoseconds.zero
    /// B, Z and m of its own, and of the sessions before it since its first command.
    var own = LaunchSums()
    var ahead = LaunchSums()
    /// Its commands that were cancelled, refused, or came in no turn that ended well; or those of one before it.
    var isIrregular = false

    init(id: SessionID, plan: LaunchPlan, order: Int64, lastActivity: Instant) {
        self.id = id
        self.plan = plan
        self.order = order
        self.lastActivity = lastActivity
    }

    /// More than a quarter beyond what it declared.
    var isOverDeclared: Bool { pagesGranted > Int64(plan.pages + plan.pages / 4) }
    var isIdleInHold: Bool { !hasAskedSince && !commandIsOpen && !turnIsOutstanding && !wasOverdue && !hungUp }

    /// What its holds may cost: a quarter of its service, or 50 ms if that is more.
    var heldIdleAllowed: Nanoseconds { max(own.service / 4, .milliseconds(50)) }

    mutating func turnEnded(at now: Instant, service: Nanoseconds, wasOverdue: Bool) {
        guard turnIsOutstanding else { return }
        turnIsOutstanding = false
        hasAskedSince = false
        lastTurnEnded = now
        lastActivity = now
        own.service += service
        self.wasOverdue = wasOverdue
    }
}

/// B, Z and m of one or several launches.
struct LaunchSums {
    var service = Nanoseconds.zero
    var idle = Nanoseconds.zero
    var gapsNotHeld: Int64 = 0

    static func + (left: LaunchSums, right: LaunchSums) -> LaunchSums {
        var sum = left
        sum.service += right.service
        sum.idle += right.idle
        sum.gapsNotHeld += right.gapsNotHeld
        return sum
    }
}
