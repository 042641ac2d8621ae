/// Every limit of the Manager protocol, each with its reason.
public enum ManagerLimits {
    /// The longest call the daemon reads. Calls carry a method name and at most a few short parameters.
    public static let callBytes = 16 * 1024
    /// The longest reply a client reads. One VM's entry is below 2 KiB; later methods return text.
    public static let replyBytes = 1024 * 1024
    /// No further reply is made while this much waits to be sent: a slow reader costs the daemon no more.
    public static let outputBytes = 64 * 1024
    /// Replies made in one step: about a third of a millisecond of work, so that a long list never delays a grant.
    public static let repliesPerStep = 8
    /// VMs that one `Explain` tells of: names are labels, and a fleet may bear one name. Each takes some 4 KiB.
    public static let explained = 8
    /// VMs that have series of their own in `Metrics`: as many as a host has at the defaults. Their names are made by
    /// others and live in a time-series database for months; of all VMs, `ListVMs` tells.
    public static let measuredVMs = 256
    /// VMs looked at in one step of `Metrics`: some ten microseconds.
    public static let measuredVMsPerStep = 8
    /// A piece of `Metrics` is complete when it has this size: a hundred pieces at the most.
    public static let metricsPieceBytes = 2 * 1024
    /// What a client keeps of `Metrics`: several times what a daemon writes.
    public static let metricsBytes = 4 * 1024 * 1024
    /// A wrapped VLEK has exactly this size; the firmware's specification gives it.
    public static let hashstickBytes = 432
    /// What fits into a call, with names of usual length.
    public static let observedProcesses = 128
    /// The kernel's 15 bytes, each as the longest escape.
    public static let observedNameBytes = 128
    /// Sums of what a host's processes have sent must not leave 64 bits; a century brings less.
    static let observedRequests: ClosedRange<Int64> = 0...(1 << 50)
    /// A platform command may wait for a launch's turn, and then for the driver's own time-out of 100 s.
    public static let platformPatienceMilliseconds: Int32 = 160_000
}
