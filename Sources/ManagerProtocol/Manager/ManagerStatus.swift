/// What `Status` answers: the daemon and the device, now.
public struct ManagerStatus: Codable, Equatable, Sendable {
    public var version: String
    /// Random for each start of the daemon, in hexadecimal.
    public var epoch: String
    public var uptimeNanoseconds: Int64
    public var device: ManagedDeviceState
    /// Path of the device or of the emulator's socket.
    public var devicePath: String
    /// Why the device is as it is, when there is something to say.
    public var deviceDetail: String?
    public var isDraining: Bool
    public var registeredVMs: Int
    public var registeredVMsMax: Int
    public var capacity: ManagedCapacity
    /// Launch work is above the launch reserve: reservations are suspended.
    public var launchOverload: Bool
    public var turn: ManagedTurn?
    public var queues: ManagedQueues
    public var counters: ManagedCounters
    public var configuration: ManagedConfiguration
    public var launchBound: ManagedLaunchBound?
    /// `nil` if nobody observes.
    public var observation: ManagedObservation?

    public init(
        version: String, epoch: String, uptimeNanoseconds: Int64, device: ManagedDeviceState, devicePath: String,
        deviceDetail: String?, isDraining: Bool, registeredVMs: Int, registeredVMsMax: Int, capacity: ManagedCapacity,
        launchOverload: Bool, turn: ManagedTurn?, queues: ManagedQueues, counters: ManagedCounters,
        configuration: ManagedConfiguration = ManagedConfiguration(), launchBound: ManagedLaunchBound? = nil,
        observation: ManagedObservation? = nil
    ) {
        self.version = version
        self.epoch = epoch
        self.uptimeNanoseconds = uptimeNanoseconds
        self.device = device
        self.devicePath = devicePath
        self.deviceDetail = deviceDetail
        self.isDraining = isDraining
        self.registeredVMs = registeredVMs
        self.registeredVMsMax = registeredVMsMax
        self.capacity = capacity
        self.launchOverload = launchOverload
        self.turn = turn
        self.queues = queues
        self.counters = counters
        self.configuration = configuration
        self.launchBound = launchBound
        self.observation = observation
    }

    enum CodingKeys: String, CodingKey {
        case version, epoch, device, capacity, turn, queues, counters, configuration, observation
        case uptimeNanoseconds = "uptime_ns"
        case devicePath = "device_path"
        case deviceDetail = "device_detail"
        case isDraining = "draining"
        case registeredVMs = "vms"
        case registeredVMsMax = "vms_max"
        case launchOverload = "launch_overload"
        case launchBound = "launch_bound"
    }
}

/// What is known of the device. Names are the wire's.
public enum ManagedDeviceState: String, Codable, Sendable, CaseIterable {
    case alive, stuck, dead, absent
}

/// SP time in each second that may be promised, and what is promised.
public struct ManagedCapacity: Codable, Equatable, Sendable {
    public var capacityNanoseconds: Int64
    public var launchReserveNanoseconds: Int64
    /// The sum of all reservations at the planning cost.
    public var reservedNanoseconds: Int64
    /// What one more VM could still reserve, in requests per thousand seconds.
    public var reservableMillihertz: Int64
    public var reportPlanningNanoseconds: Int64
    /// What a report was seen to cost; `nil` before the first.
    public var reportMeasuredNanoseconds: Int64?

    public init(
        capacityNanoseconds: Int64, launchReserveNanoseconds: Int64, reservedNanoseconds: Int64,
        reservableMillihertz: Int64, reportPlanningNanoseconds: Int64, reportMeasuredNanoseconds: Int64?
    ) {
        self.capacityNanoseconds = capacityNanoseconds
        self.launchReserveNanoseconds = launchReserveNanoseconds
        self.reservedNanoseconds = reservedNanoseconds
        self.reservableMillihertz = reservableMillihertz
        self.reportPlanningNanoseconds = reportPlanningNanoseconds
        self.reportMeasuredNanoseconds = reportMeasuredNanoseconds
    }

    enum CodingKeys: String, CodingKey {
        case capacityNanoseconds = "capacity_ns"
        case launchReserveNanoseconds = "launch_reserve_ns"
        case reservedNanoseconds = "reserved_ns"
        case reservableMillihertz = "reservable_millihertz"
        case reportPlanningNanoseconds = "report_planning_ns"
        case reportMeasuredNanoseconds = "report_measured_ns"
    }
}

/// The turn that is outstanding.
public struct ManagedTurn: Codable, Equatable, Sendable {
    /// Name of the VM that holds it; `nil` for the daemon's own platform commands.
    public var vm: String?
    public var kind: String
    public var heldNanoseconds: Int64
    /// Negative once the turn is overdue.
    public var leaseLeftNanoseconds: Int64
    public var isOverdue: Bool

    public init(
        vm: String?, kind: String, heldNanoseconds: Int64, leaseLeftNanoseconds: Int64, isOverdue: Bool
    ) {
        self.vm = vm
        self.kind = kind
        self.heldNanoseconds = heldNanoseconds
        self.leaseLeftNanoseconds = leaseLeftNanoseconds
        self.isOverdue = isOverdue
    }

    enum CodingKeys: String, CodingKey {
        case vm, kind
        case heldNanoseconds = "held_ns"
        case leaseLeftNanoseconds = "lease_left_ns"
        case isOverdue = "overdue"
    }
}

/// Requests and sessions that wait now.
public struct ManagedQueues: Codable, Equatable, Sendable {
    public var launchSessions: Int
    public var guestRequests: Int
    public var platformCommands: Int

    public init(launchSessions: Int, guestRequests: Int, platformCommands: Int) {
        self.launchSessions = launchSessions
        self.guestRequests = guestRequests
        self.platformCommands = platformCommands
    }

    enum CodingKeys: String, CodingKey {
        case launchSessions = "launch_sessions"
        case guestRequests = "guest_requests"
        case platformCommands = "platform_commands"
    }
}

/// Counted since the daemon's start.
public struct ManagedCounters: Codable, Equatable, Sendable {
    public var grants: Int64
    /// Refusals by reason, under the names of `BusyReason.managerName`.
    public var busies: [String: Int64]
    /// Turns whose lease ended before they were released.
    public var overdueTurns: Int64
    public var launches: Int64
    /// SP time charged, by class.
    public var launchNanoseconds: Int64
    public var guestNanoseconds: Int64
    public var platformNanoseconds: Int64
    /// Connections closed for breaking the protocol.
    public var protocolErrors: Int64
    /// Connections taken over from the daemon before.
    public var adoptedConnections: Int64
    /// VMs without a connection that came back by their token.
    public var resumedRegistrations: Int64

    public init(
        grants: Int64 = 0, busies: [String: Int64] = [:], overdueTurns: Int64 = 0, launches: Int64 = 0,
        launchNanoseconds: Int64 = 0, guestNanoseconds: Int64 = 0, platformNanoseconds: Int64 = 0,
        protocolErrors: Int64 = 0, adoptedConnections: Int64 = 0, resumedRegistrations: Int64 = 0
    ) {
        self.grants = grants
        self.busies = busies
        self.overdueTurns = overdueTurns
        self.launches = launches
        self.launchNanoseconds = launchNanoseconds
        self.guestNanoseconds = guestNanoseconds
        self.platformNanoseconds = platformNanoseconds
        self.protocolErrors = protocolErrors
        self.adoptedConnections = adoptedConnections
        self.resumedRegistrations = resumedRegistrations
    }

    enum CodingKeys: String, CodingKey {
        case grants, busies, launches
        case overdueTurns = "overdue_turns"
        case launchNanoseconds = "launch_ns"
        case guestNanoseconds = "guest_ns"
        case platformNanoseconds = "platform_ns"
        case protocolErrors = "protocol_errors"
        case adoptedConnections = "adopted_connections"
        case resumedRegistrations = "resumed_registrations"
    }
}
