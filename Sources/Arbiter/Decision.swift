/// What the Arbiter tells the daemon to do. It appends them, in order, to a buffer that the caller owns.
public enum Decision: Equatable, Sendable {
    /// The turn is the client's. Terminal for the request.
    case granted(RequestID, VMID, Grant)
    /// The request waits. Not terminal: sent to a launch command that did not get its turn at once and then every
    /// second, and once to a guest request that waits without a deadline.
    case queued(RequestID, VMID, QueueNotice)
    /// Refused before the firmware was called. Terminal for the request.
    case busy(RequestID, VMID, Busy)
    /// The request waited, and what it asked for has become impossible (its session ended). Terminal for the request.
    case failed(RequestID, VMID, RequestError)
    /// The turn was taken back: its lease ended and the device is free again.
    case revoked(TurnID, VMID, origin: UInt64)
    /// Ask `spschedd-device` for one status command and report it with `probeReturned`.
    case probe
    case deviceState(DeviceState)
    /// The launch session of this VM was ended by the Arbiter.
    case sessionEnded(SessionID, VMID, SessionEnd)
}

/// One turn, as its holder needs to know it. Durations, never instants: clients may live in other time namespaces.
public struct Grant: Equatable, Sendable {
    public let turn: TurnID
    public let kind: CommandKind
    /// Pages or vCPUs that this turn covers; may be fewer than asked (`chunk`).
    public let units: UInt32
    /// The command must start within this time, or the turn is stale.
    public let startWithin: Nanoseconds
    public let lease: Nanoseconds

    package init(turn: TurnID, kind: CommandKind, units: UInt32, startWithin: Nanoseconds, lease: Nanoseconds) {
        self.turn = turn
        self.kind = kind
        self.units = units
        self.startWithin = startWithin
        self.lease = lease
    }
}

public struct QueueNotice: Equatable, Sendable {
    /// How many requests or sessions are served before this one.
    public let position: UInt32
    /// Predicted time until the turn starts.
    public let estimate: Nanoseconds

    package init(position: UInt32, estimate: Nanoseconds) {
        self.position = position
        self.estimate = estimate
    }
}

public struct Busy: Equatable, Sendable {
    public let retryAfter: Nanoseconds
    public let reason: BusyReason
    /// The VM whose turn or launch stands in the way, where one does.
    public let holder: VMID?

    package init(retryAfter: Nanoseconds, reason: BusyReason, holder: VMID?) {
        self.retryAfter = retryAfter
        self.reason = reason
        self.holder = holder
    }
}

/// Why a request was refused. Raw values are the wire's.
public enum BusyReason: UInt16, Sendable, CaseIterable {
    /// The VM is over its own limit.
    case limit = 1
    /// The predicted start lies beyond `guest_wait_max`: other guests are before it.
    case guestsAhead = 2
    /// The predicted start lies beyond `guest_wait_max` because a launch has the SP.
    case launchAhead = 3
    /// As `launchAhead`, and reservations are suspended by launch overload.
    case reservationsSuspended = 4
    /// The VM already has a guest request queued or in service.
    case oneRequestPerVM = 5
    case cancelled = 6
    case draining = 7
    case deviceStuck = 8
    case deviceDead = 9
    /// The launch bucket of the VM or of its account is empty.
    case launchBucketVM = 10
    case launchBucketAccount = 11
    /// The client's own longest wait has passed.
    case maxWait = 12
    /// The platform queue is full.
    case platformQueueFull = 13
    /// The VM was unregistered while the request waited.
    case unregistered = 14
}

/// What is known of the device.
public enum DeviceState: UInt8, Sendable, CaseIterable {
    case alive = 0
    /// A status probe has not come back.
    case stuck = 1
    /// The ccp driver answered our own probe with ETIMEDOUT or EBUSY.
    case dead = 2
    /// There is no device to arbitrate; turns are granted all the same.
    case absent = 3
}

public enum ProbeOutcome: Equatable, Sendable {
    case returned
    /// ETIMEDOUT or EBUSY from ccp.
    case dead
    /// The probe could not be made (no `spschedd-device`): says nothing about the device.
    case unavailable
}

public enum SessionEnd: UInt8, Sendable {
    case wallClock = 0
    case clientGone = 1
}

/// A client's mistake, answered with an error: it changes nothing for anyone else.
public enum RequestError: UInt16, Error, Sendable, CaseIterable {
    case unknownVM = 1
    case unknownTurn = 2
    case unknownSession = 3
    case sessionAlreadyOpen = 4
    case noSession = 5
    case kindDoesNotFitSession = 6
    case kindNotAllowed = 7
    case unitsOutOfBounds = 8
    case commandAlreadyQueued = 9
    case pagesOutOfBounds = 10
    case turnStillHeld = 11
    case tooManySessions = 12
}
