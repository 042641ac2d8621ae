import Arbiter

/// A message from the daemon to a client, without its tag. As with `ClientMessage`, the rare and large bodies are kept
/// apart.
public enum DaemonMessage: Equatable, Sendable {
    indirect case welcome(Welcome)
    indirect case registered(Registered)
    case launchBegun(SessionID, chunkPages: UInt32)
    case queued(Queued)
    case granted(Granted)
    indirect case busy(BusyReply)
    indirect case error(ErrorReply)
    case done
    case revoked(TurnID, Extensible<RevocationReason>)
    indirect case deviceState(Extensible<DeviceState>, text: String)
    case draining(Bool)
    case resync(epoch: UInt64)

    @inlinable public var type: MessageType {
        switch self {
        case .welcome: .welcome
        case .registered: .registered
        case .launchBegun: .launchBegun
        case .queued: .queued
        case .granted: .granted
        case .busy: .busy
        case .error: .error
        case .done: .done
        case .revoked: .revoked
        case .deviceState: .deviceState
        case .draining: .draining
        case .resync: .resync
        }
    }
}

/// The answer to HELLO: what both sides will use from here on.
public struct Welcome: Equatable, Sendable {
    public var version: UInt16
    /// The longest message that the daemon reads.
    public var messageBytesMax: UInt32
    public var features: Features
    /// Random at each start of the daemon.
    public var epoch: UInt64
    /// The most pages in one launch turn.
    public var chunkPages: UInt32
    public var deviceState: Extensible<DeviceState>

    public init(
        version: UInt16 = ProtocolLimits.version, messageBytesMax: UInt32 = UInt32(ProtocolLimits.messageBytes),
        features: Features, epoch: UInt64, chunkPages: UInt32, deviceState: Extensible<DeviceState>
    ) {
        self.version = version
        self.messageBytesMax = messageBytesMax
        self.features = features
        self.epoch = epoch
        self.chunkPages = chunkPages
        self.deviceState = deviceState
    }
}

/// What the VM was granted, which may be less than it asked for.
public struct Registered: Equatable, Sendable {
    public var token: Token
    public var epoch: UInt64
    public var reservation: Rate
    /// `nil` for no limit.
    public var limit: Rate?
    public var weight: Weight
    public var burst: Int64
    public var guestWaitMax: Nanoseconds
    /// The longest a request inside the reservation waits.
    public var guestWaitReserved: Nanoseconds
    /// What the VM gets if every VM asks for all it may, at this moment.
    public var entitlement: Rate
    public var retryPolicy: RetryPolicy
    public var failureMode: FailureMode
    public var carriesDescriptor: Bool
    /// The token was known: the registration goes on where it was.
    public var isResumed: Bool

    public init(
        token: Token, epoch: UInt64, reservation: Rate, limit: Rate?, weight: Weight, burst: Int64,
        guestWaitMax: Nanoseconds, guestWaitReserved: Nanoseconds, entitlement: Rate, retryPolicy: RetryPolicy,
        failureMode: FailureMode, carriesDescriptor: Bool, isResumed: Bool
    ) {
        self.token = token
        self.epoch = epoch
        self.reservation = reservation
        self.limit = limit
        self.weight = weight
        self.burst = burst
        self.guestWaitMax = guestWaitMax
        self.guestWaitReserved = guestWaitReserved
        self.entitlement = entitlement
        self.retryPolicy = retryPolicy
        self.failureMode = failureMode
        self.carriesDescriptor = carriesDescriptor
        self.isResumed = isResumed
    }
}

/// The request waits. Not terminal.
public struct Queued: Equatable, Sendable {
    /// How many requests or sessions are served before this one.
    public var position: UInt32
    public var estimate: Nanoseconds

    public init(position: UInt32, estimate: Nanoseconds) {
        self.position = position
        self.estimate = estimate
    }

    public init(_ notice: QueueNotice) { self.init(position: notice.position, estimate: notice.estimate) }
}

/// The turn is the client's, for as long as it says.
public struct Granted: Equatable, Sendable {
    public var turn: TurnID
    public var startWithin: Nanoseconds
    public var lease: Nanoseconds
    /// May be fewer than asked: the rest is asked for again.
    public var units: UInt32
    public var kind: CommandKind

    public init(turn: TurnID, startWithin: Nanoseconds, lease: Nanoseconds, units: UInt32, kind: CommandKind) {
        self.turn = turn
        self.startWithin = startWithin
        self.lease = lease
        self.units = units
        self.kind = kind
    }

    public init(_ grant: Grant) {
        self.init(
            turn: grant.turn, startWithin: grant.startWithin, lease: grant.lease, units: grant.units, kind: grant.kind)
    }
}

/// Refused before the firmware was called.
public struct BusyReply: Equatable, Sendable {
    public var retryAfter: Nanoseconds
    public var reason: Extensible<BusyReason>
    /// For people: names the limit and the holder.
    public var text: String

    public init(retryAfter: Nanoseconds, reason: Extensible<BusyReason>, text: String) {
        self.retryAfter = retryAfter
        self.reason = reason
        self.text = text
    }
}

/// The request was a mistake and changed nothing.
public struct ErrorReply: Equatable, Sendable {
    public var code: Extensible<ErrorCode>
    /// For people: what happened and what to do.
    public var text: String

    public init(code: Extensible<ErrorCode>, text: String) {
        self.code = code
        self.text = text
    }
}

/// Why a turn was taken back.
public enum RevocationReason: UInt16, Sendable, CaseIterable {
    case leaseEnded = 1
    case sessionWallClock = 2
}
