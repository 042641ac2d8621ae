import Arbiter
import SPModel

/// A host to be simulated: its SP, its policy, its VMs, and for how long. The same plan gives the same record on every
/// machine.
///
/// ```
///   0 ──── warmUp ────┬──────── duration ────────┬── grace ──┐
///      guests begin   │ what counts              │           │ launches still under way are cut
///                     └ launches begin           └ no launch is requested any more
/// ```
public struct HostPlan: Sendable {
    public var seed: UInt64
    public var policy: HostPolicy
    /// Of the Arbiter; `priority` policies use its hold, floor and chunk. Planning costs are the operator's belief:
    /// they do not follow `profile` by themselves.
    public var configuration: Configuration
    /// What commands cost the SP; `Profile.scaled` makes others of it.
    public var profile: Profile

    /// The VMs that live throughout, in the order in which they register.
    public var guests: [GuestGroup] = []
    /// The VMs that come to be launched. Each registers when its launch is requested, and is gone once it runs.
    public var launches: [LaunchGroup] = []
    public var teardowns: [TeardownBursts] = []
    public var faults: [PlannedFault] = []
    /// One firmware command in so many takes ten times as long; `nil` for none.
    public var slowOneIn: UInt64?

    /// What is not counted, at the beginning.
    public var warmUp: Nanoseconds
    /// What is.
    public var duration: Nanoseconds
    /// How much longer a launch under way at the end may take before it is cut.
    public var grace: Nanoseconds
    public var recording = Recording()

    public init(
        seed: UInt64 = 1, policy: HostPolicy = .spschedd, configuration: Configuration = Configuration(),
        profile: Profile = .milan2024, warmUp: Nanoseconds = .seconds(10), duration: Nanoseconds = .seconds(60),
        grace: Nanoseconds = .seconds(10)
    ) {
        self.seed = seed
        self.policy = policy
        self.configuration = configuration
        self.profile = profile
        self.warmUp = warmUp
        self.duration = duration
        self.grace = grace
    }
}

/// How much of what happened is kept.
public struct Recording: Sendable, Equatable {
    /// Reports are counted for each VM in windows this long.
    public var window = Nanoseconds.seconds(1)
    /// Whether the time of each report is kept as well, up to `HostLimits.reportTimes` in all.
    public var keepsReportTimes = false

    public init() {}
}

/// Domains of VMs that ended: DECOMMISSION for each and one DF_FLUSH, straight to the SP's queue, as KVM sends them.
public struct TeardownBursts: Sendable, Equatable {
    /// How many VMs end at once, each DECOMMISSION queued by a process of its own.
    public var virtualMachines: Int
    /// After the counted time began, the first; then again and again.
    public var first: Nanoseconds
    public var every: Nanoseconds

    public init(virtualMachines: Int, first: Nanoseconds = .zero, every: Nanoseconds) {
        self.virtualMachines = virtualMachines
        self.first = first
        self.every = every
    }
}

/// Something that the SP does wrong.
public struct PlannedFault: Sendable, Equatable {
    /// After the counted time began.
    public var at: Nanoseconds
    public var fault: SecureProcessor.Fault

    public init(at: Nanoseconds, _ fault: SecureProcessor.Fault) {
        self.at = at
        self.fault = fault
    }
}

/// What of a plan makes no sense, in a sentence that names it.
public struct HostPlanError: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String

    init(_ description: String) { self.description = description }
}
