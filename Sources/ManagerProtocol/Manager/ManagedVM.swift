/// One entry of `ListVMs`.
public struct ManagedVM: Codable, Equatable, Sendable {
    /// Slot and generation identify a registration; a slot is used again.
    public var slot: Int
    public var generation: Int
    public var uuid: String
    public var name: String
    /// Whom caps apply to: uid and security label.
    public var account: String
    public var state: ManagedVMState
    public var connections: Int
    /// Time since the registration.
    public var registeredNanoseconds: Int64
    public var reservationMillihertz: Int64
    /// The most it may use; `nil` for no limit.
    public var limitMillihertz: Int64?
    public var weight: Int64
    public var burst: Int64
    /// `linux`, `once` or `never`.
    public var retryPolicy: String
    /// `open` or `closed`.
    public var failureMode: String
    /// What the VM would get if every VM asked all the time.
    public var entitlementMillihertz: Int64
    /// All turns granted.
    public var grants: Int64
    /// Those of them for guest requests.
    public var guestGrants: Int64
    /// Refusals by reason, under the names of `BusyReason.managerName`.
    public var busies: [String: Int64]
    /// SP time charged to it.
    public var spTimeNanoseconds: Int64
    public var launches: Int64
    public var overdueTurns: Int64
    /// Requests for which it did not ask; `nil` if nobody observes.
    public var unasked: Int64?

    public init(
        slot: Int, generation: Int, uuid: String, name: String, account: String, state: ManagedVMState,
        connections: Int, registeredNanoseconds: Int64, reservationMillihertz: Int64, limitMillihertz: Int64?,
        weight: Int64, burst: Int64, retryPolicy: String, failureMode: String, entitlementMillihertz: Int64,
        grants: Int64, guestGrants: Int64, busies: [String: Int64], spTimeNanoseconds: Int64, launches: Int64,
        overdueTurns: Int64, unasked: Int64? = nil
    ) {
        self.slot = slot
        self.generation = generation
        self.uuid = uuid
        self.name = name
        self.account = account
        self.state = state
        self.connections = connections
        self.registeredNanoseconds = registeredNanoseconds
        self.reservationMillihertz = reservationMillihertz
        self.limitMillihertz = limitMillihertz
        self.weight = weight
        self.burst = burst
        self.retryPolicy = retryPolicy
        self.failureMode = failureMode
        self.entitlementMillihertz = entitlementMillihertz
        self.grants = grants
        self.guestGrants = guestGrants
        self.busies = busies
        self.spTimeNanoseconds = spTimeNanoseconds
        self.launches = launches
        self.overdueTurns = overdueTurns
        self.unasked = unasked
    }

    enum CodingKeys: String, CodingKey {
        case slot, generation, uuid, name, account, state, connections, weight, burst, grants, busies, launches,
            unasked
        case registeredNanoseconds = "registered_ns"
        case reservationMillihertz = "reservation_millihertz"
        case limitMillihertz = "limit_millihertz"
        case retryPolicy = "retry_policy"
        case failureMode = "failure_mode"
        case entitlementMillihertz = "entitlement_millihertz"
        case guestGrants = "guest_grants"
        case spTimeNanoseconds = "sp_time_ns"
        case overdueTurns = "overdue_turns"
    }
}

/// What a VM is doing. Names are the wire's.
public enum ManagedVMState: String, Codable, Sendable, CaseIterable {
    case idle
    /// A request is queued.
    case waiting
    /// The guest was told BUSY and is expected back.
    case refused
    /// It holds the turn.
    case serving
    /// Its launch session is open.
    case launching
    /// Registered, but no connection is left.
    case detached
}

/// What one reply of `ListVMs` carries. The last carries none.
public struct ListedVM: Codable, Equatable, Sendable {
    public var vm: ManagedVM?

    public init(vm: ManagedVM?) { self.vm = vm }
}
