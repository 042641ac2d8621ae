/// What an operator may set. Defaults are those of `docs/architecture.md`.
public struct Configuration: Equatable, Sendable {
    /// SP time per second that may be promised. It does not bound what is issued.
    public var capacityPerSecond = Nanoseconds.milliseconds(950)
    /// The part of it kept for launches.
    public var launchReservePerSecond = Nanoseconds.milliseconds(200)
    /// Launch work above the reserve that may come at once (β_L): eight launches of 77 ms.
    public var launchBurst = Nanoseconds.milliseconds(8 * 77)

    /// φ: the share guests keep while launches are busy.
    public var floorShare = Share(percent: 10)
    /// D: how long launches may keep guests waiting before the floor acts.
    public var floorDelay = Nanoseconds.milliseconds(500)

    /// h: how long the SP is first kept for a launch's next command.
    public var hold = Nanoseconds.milliseconds(5)
    /// The most pages in one launch turn.
    public var chunkPages: UInt32 = 32
    public var launchOrder = LaunchOrder.firstComeFirstServed
    /// A: under `shortestFirst`, no session is overtaken for longer.
    public var launchAging = Nanoseconds.seconds(10)

    /// How long a request of the shared part may wait before it is refused.
    public var guestWaitMax = Nanoseconds.milliseconds(500)
    /// The longest wait that may be promised inside a reservation.
    public var guestWaitReserved = Nanoseconds.seconds(5)

    public var launchBucketVM = LaunchBucket(perSecond: .milliseconds(200), burst: .seconds(30))
    public var launchBucketAccount = LaunchBucket(perSecond: .milliseconds(950), burst: .seconds(60))
    /// The most reservations one account may hold together; `nil` for no cap but capacity itself.
    public var accountReservationMax: Rate?
    public var launchPagesMax: UInt32 = 262_144
    public var launchWallClockMax = Nanoseconds.seconds(300)

    public var planningCosts = PlanningCosts()

    public init() {}
}

/// In which order open launch sessions are served. Never round-robin: it doubles the mean of equal launches.
public enum LaunchOrder: UInt8, Sendable, CaseIterable {
    case firstComeFirstServed
    case shortestFirst
}

/// A bucket of launch work in SP time.
public struct LaunchBucket: Equatable, Sendable {
    public var perSecond: Nanoseconds
    public var burst: Nanoseconds

    public init(perSecond: Nanoseconds, burst: Nanoseconds) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What admission reckons a command to cost: the table's or the operator's figures, never measured ones.
public struct PlanningCosts: Equatable, Sendable {
    public var report = Nanoseconds.microseconds(7_500)
    public var derivedKey = Nanoseconds.microseconds(1_000)
    public var launchPage = Nanoseconds.microseconds(1_000)
    public var launchStart = Nanoseconds.microseconds(5_300)
    public var launchFinish = Nanoseconds.microseconds(5_000)
    public var platformStatus = Nanoseconds.microseconds(460)
    public var platformCommand = Nanoseconds.microseconds(20_000)

    public init() {}
}
