import Arbiter

/// A message from a client to the daemon, without its tag.
///
/// Bodies that come once a connection are kept apart, so that those that come with every turn are small and hold
/// nothing to be counted: they are passed on in a few words.
public enum ClientMessage: Equatable, Sendable {
    indirect case hello(Hello)
    indirect case register(Register)
    case launchBegin(LaunchPlan)
    case acquire(Acquire)
    case release(Release)
    /// The tag is the acquire's. If the release is an error, nothing is acquired.
    case releaseAndAcquire(Release, Acquire)
    /// Names the tag of the request that is no longer wanted.
    case cancel(tag: UInt64)
    case launchEnd(SessionID, LaunchOutcome)
    case unregister
    indirect case resyncState(ResyncState)

    @inlinable public var type: MessageType {
        switch self {
        case .hello: .hello
        case .register: .register
        case .launchBegin: .launchBegin
        case .acquire: .acquire
        case .release: .release
        case .releaseAndAcquire: .releaseAndAcquire
        case .cancel: .cancel
        case .launchEnd: .launchEnd
        case .unregister: .unregister
        case .resyncState: .resyncState
        }
    }
}

/// The first message: which versions and features the client can speak.
public struct Hello: Equatable, Sendable {
    public var versionMin: UInt16
    public var versionMax: UInt16
    public var features: Features
    /// The client software and its version, for the daemon's log.
    public var name: Name64

    public init(
        versionMin: UInt16 = ProtocolLimits.version, versionMax: UInt16 = ProtocolLimits.version,
        features: Features = .all, name: Name64
    ) {
        self.versionMin = versionMin
        self.versionMax = versionMax
        self.features = features
        self.name = name
    }
}

/// What a VM does with its launches and guest requests while the daemon is absent.
public enum FailureMode: UInt8, Sendable, CaseIterable {
    /// It goes on, within its own bucket at the reserved rate.
    case open = 0
    /// It refuses its guests until the daemon is back.
    case closed = 1
}

/// The connection's VM: a new one, or the one that the token stands for.
public struct Register: Equatable, Sendable {
    public var uuid: UUIDBytes
    public var name: Name64
    public var token: Token
    public var registration: Registration
    public var failureMode: FailureMode
    public var wantsDescriptor: Bool

    public init(
        uuid: UUIDBytes, name: Name64, token: Token = .none, registration: Registration = Registration(),
        failureMode: FailureMode = .open, wantsDescriptor: Bool = false
    ) {
        self.uuid = uuid
        self.name = name
        self.token = token
        self.registration = registration
        self.failureMode = failureMode
        self.wantsDescriptor = wantsDescriptor
    }
}

public struct Acquire: Equatable, Sendable {
    public var kind: CommandKind
    /// Pages or vCPUs, as the kind says.
    public var units: UInt32
    /// How long the client is willing to wait; `nil` for the daemon's bounds only.
    public var maxWait: Nanoseconds?

    public init(_ kind: CommandKind, units: UInt32 = 1, maxWait: Nanoseconds? = nil) {
        self.kind = kind
        self.units = units
        self.maxWait = maxWait
    }
}

public struct Release: Equatable, Sendable {
    public var turn: TurnID
    /// The positive errno of the command, zero for success.
    public var errno: Int32
    /// What the firmware answered, zero for success. For statistics only.
    public var firmwareCode: UInt32
    /// KVM's own measure of the command, if the client knows it.
    public var measured: Nanoseconds?
    public var unitsDone: UInt32

    public init(
        _ turn: TurnID, errno: Int32 = 0, firmwareCode: UInt32 = 0, measured: Nanoseconds? = nil, unitsDone: UInt32 = 1
    ) {
        self.turn = turn
        self.errno = errno
        self.firmwareCode = firmwareCode
        self.measured = measured
        self.unitsDone = unitsDone
    }

    /// The outcome as the Arbiter takes it: EBUSY and ETIMEDOUT of the ccp driver are the device's trouble.
    public var outcome: TurnOutcome {
        TurnOutcome(
            unitsDone: unitsDone, reportsDeviceTrouble: errno == LinuxErrno.busy || errno == LinuxErrno.timedOut,
            measured: measured)
    }
}

/// The errno values that carry a meaning of their own here: Linux's, whatever the client is written in.
enum LinuxErrno {
    static let busy: Int32 = 16
    static let timedOut: Int32 = 110
}

public enum LaunchOutcome: UInt8, Sendable, CaseIterable {
    case running = 0
    case failed = 1
}

/// What a client still holds and waits for when the daemon asks after a restart.
public struct ResyncState: Equatable, Sendable {
    /// The epoch of the RESYNC that this answers.
    public var epoch: UInt64
    public var heldTurn: TurnID?
    public var session: SessionID?
    /// Of the requests without a terminal reply; at most `ProtocolLimits.outstandingTags`.
    public var tags: [UInt64]

    public init(epoch: UInt64, heldTurn: TurnID? = nil, session: SessionID? = nil, tags: [UInt64] = []) {
        precondition(tags.count <= ProtocolLimits.outstandingTags)
        self.epoch = epoch
        self.heldTurn = heldTurn
        self.session = session
        self.tags = tags
    }
}
