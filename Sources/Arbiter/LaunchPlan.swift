/// What a client declares of a launch when it begins one.
public struct LaunchPlan: Equatable, Sendable {
    public var pages: UInt32
    public var virtualCPUs: UInt32
    /// One turn for the whole launch, for VMMs that cannot be split.
    public var isWhole: Bool
    /// The launch is driven by another process than the VMM: its turn outlives the connection, until its lease.
    public var isProxy: Bool

    public init(pages: UInt32, virtualCPUs: UInt32 = 1, isWhole: Bool = false, isProxy: Bool = false) {
        self.pages = pages
        self.virtualCPUs = virtualCPUs
        self.isWhole = isWhole
        self.isProxy = isProxy
    }
}

/// Why a launch may not begin.
public enum LaunchRefusal: Error, Equatable, Sendable {
    /// A bucket is empty: come back later.
    case busy(Busy)
    case error(RequestError)
}

/// What the holder says when it returns its turn.
public struct TurnOutcome: Equatable, Sendable {
    /// Pages or vCPUs actually done; may be fewer than granted.
    public var unitsDone: UInt32
    /// Whether ccp answered with an error of the device (ETIMEDOUT, EBUSY): schedules one probe, nothing more.
    public var reportsDeviceTrouble: Bool
    /// KVM's own measure of the command, if the client knows it. For statistics; the VM is charged its occupancy.
    public var measured: Nanoseconds?

    public init(unitsDone: UInt32, reportsDeviceTrouble: Bool = false, measured: Nanoseconds? = nil) {
        self.unitsDone = unitsDone
        self.reportsDeviceTrouble = reportsDeviceTrouble
        self.measured = measured
    }
}
