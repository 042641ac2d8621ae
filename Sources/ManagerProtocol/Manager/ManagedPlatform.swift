/// A platform command that an administrator asks for.
public enum ManagedPlatformOrder: Equatable, Sendable {
    case status
    /// Irreversible: firmware older than the current one is never accepted again.
    case commit
    /// `reportedTCB` as SNP_SET_CONFIG takes it; 0: the current one.
    case configure(reportedTCB: UInt64, masksChipID: Bool, masksChipKey: Bool)
    /// A wrapped versioned endorsement key.
    case loadVLEK(wrappedVersion: UInt8, hashstick: [UInt8])
}

/// The platform, as SNP_PLATFORM_STATUS tells it.
public struct ManagedPlatform: Codable, Equatable, Sendable {
    /// Major and minor version of the firmware's API.
    public var apiVersion: String
    public var build: Int64
    /// "initialised", "uninitialised", or the number of another state.
    public var state: String
    public var isRMPInitialised: Bool
    public var guestCount: Int64
    /// Security versions in hexadecimal.
    public var currentTCB: String
    public var reportedTCB: String
    /// Names of what is set, in the firmware's order.
    public var flags: [String]

    public init(
        apiVersion: String, build: Int64, state: String, isRMPInitialised: Bool, guestCount: Int64,
        currentTCB: String, reportedTCB: String, flags: [String]
    ) {
        self.apiVersion = apiVersion
        self.build = build
        self.state = state
        self.isRMPInitialised = isRMPInitialised
        self.guestCount = guestCount
        self.currentTCB = currentTCB
        self.reportedTCB = reportedTCB
        self.flags = flags
    }

    enum CodingKeys: String, CodingKey {
        case build, state, flags
        case apiVersion = "api_version"
        case isRMPInitialised = "rmp_initialised"
        case guestCount = "guests"
        case currentTCB = "current_tcb"
        case reportedTCB = "reported_tcb"
    }
}

/// What a platform command came to.
public enum ManagedPlatformOutcome: Equatable, Sendable {
    /// `platform` after a status. The time is that of the command alone.
    case done(platform: ManagedPlatform?, nanoseconds: Int64)
    case failed(ManagedPlatformFailure)
    /// It got no turn, for a reason under its `managerName`.
    case busy(reason: String, text: String)
}

/// Why a platform command failed: the kernel's error and the firmware's, apart.
public struct ManagedPlatformFailure: Codable, Equatable, Sendable {
    /// dead, failed, firmware_refused, not_attempted, not_permitted, not_sev_device, vanished or unexpected_answer.
    public var outcome: String
    /// 0 if no system call failed.
    public var errno: Int64
    /// Absent if the firmware was not called.
    public var firmwareCode: Int64?
    public var firmwareName: String?
    /// What happened, where, and what to do.
    public var text: String

    public init(outcome: String, errno: Int64, firmwareCode: Int64?, firmwareName: String?, text: String) {
        self.outcome = outcome
        self.errno = errno
        self.firmwareCode = firmwareCode
        self.firmwareName = firmwareName
        self.text = text
    }

    enum CodingKeys: String, CodingKey {
        case outcome, errno, text
        case firmwareCode = "firmware_code"
        case firmwareName = "firmware_name"
    }
}

/// What a platform method answers.
public struct PlatformReply: Codable, Equatable, Sendable {
    /// After a status.
    public var platform: ManagedPlatform?
    /// What the command took, without its wait for a turn.
    public var durationNanoseconds: Int64

    enum CodingKeys: String, CodingKey {
        case platform
        case durationNanoseconds = "duration_ns"
    }
}

/// What `ReleaseDevice` answers.
public struct ReleaseReply: Codable, Equatable, Sendable {
    /// VMs that are registered, each of which may hold the device open.
    public var registeredVMs: Int

    enum CodingKeys: String, CodingKey { case registeredVMs = "vms" }
}

struct EmptyReply: Codable, Equatable, Sendable {}
