/// What `Metrics` tells of the host: the status, and figures that only programs want.
public struct HostFigures: Sendable {
    public var status: ManagerStatus
    public var connections: Int
    public var connectionsMax: Int
    public var accounts: Int
    /// Operators' connections, and those of them that watch.
    public var operators: Int
    public var watchers: Int
    /// VMs that registered, and registrations that were not admitted, by the protocol's error codes.
    public var registrations: Int64
    public var rejections: [String: Int64]
    /// Connections that were turned away at a cap, or by a policy.
    public var connectionsRefused: Int64
    /// Records that the journal was too slow for.
    public var journalDropped: Int64

    public init(
        status: ManagerStatus, connections: Int, connectionsMax: Int, accounts: Int, operators: Int, watchers: Int,
        registrations: Int64, rejections: [String: Int64], connectionsRefused: Int64, journalDropped: Int64
    ) {
        self.status = status
        self.connections = connections
        self.connectionsMax = connectionsMax
        self.accounts = accounts
        self.operators = operators
        self.watchers = watchers
        self.registrations = registrations
        self.rejections = rejections
        self.connectionsRefused = connectionsRefused
        self.journalDropped = journalDropped
    }
}

/// What `Metrics` tells of one VM.
public struct VMFigures: Equatable, Sendable {
    public var slot: Int
    public var uuid: String
    public var name: String
    public var account: String
    public var reservationMillihertz: Int64
    public var grants: Int64
    public var guestGrants: Int64
    public var refusals: Int64
    public var spTimeNanoseconds: Int64
    public var launches: Int64
    public var overdueTurns: Int64
    /// Requests for which it did not ask; `nil` if nobody observes.
    public var unasked: Int64?

    public init(
        slot: Int, uuid: String, name: String, account: String, reservationMillihertz: Int64, grants: Int64,
        guestGrants: Int64, refusals: Int64, spTimeNanoseconds: Int64, launches: Int64, overdueTurns: Int64,
        unasked: Int64? = nil
    ) {
        self.slot = slot
        self.uuid = uuid
        self.name = name
        self.account = account
        self.reservationMillihertz = reservationMillihertz
        self.grants = grants
        self.guestGrants = guestGrants
        self.refusals = refusals
        self.spTimeNanoseconds = spTimeNanoseconds
        self.launches = launches
        self.overdueTurns = overdueTurns
        self.unasked = unasked
    }
}
