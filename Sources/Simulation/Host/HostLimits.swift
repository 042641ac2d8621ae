import Arbiter

/// Every limit of a simulated host, each with its reason.
public enum HostLimits {
    /// Ten times what any SP has address-space ids for: beyond it nothing is learnt.
    public static let virtualMachines = 10_240
    /// A day of host life: a plan for longer is a mistake in its units.
    public static let duration = Nanoseconds.seconds(86_400)
    /// Ten a second for a day fit 40 MB; what is beyond is counted only.
    public static let bootsRecorded = 1_000_000
    /// 80 MB of instants: an hour of 1,000 VMs at some 3/s.
    public static let reportTimes = 10_000_000
    /// VMs times windows: 64 MB of counts.
    public static let windows = 16_000_000
    /// More launches open at once than a host has VMs.
    public static let launchesAtOnce = 1_024
    /// A thousand a second: more than any SP begins.
    public static let launchesPerMinute = 60_000
    /// A guest or a VMM whose command the device failed tries again, or another takes its place: not at once, lest they
    /// spin while it is dead.
    static let pauseAfterFailure = Nanoseconds.seconds(1)
    /// Groups of a plan: more than a person can tell apart in a table.
    public static let groups = 256
}
