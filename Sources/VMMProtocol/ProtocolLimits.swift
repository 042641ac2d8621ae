import Arbiter

/// Every fixed limit of the VMM protocol, each with its reason.
public enum ProtocolLimits {
    /// The version spoken here.
    public static let version: UInt16 = 1

    /// Room for the longest message (560 bytes) and for what later versions append; small enough for one stack buffer.
    public static let messageBytes = 1_024
    /// Type, size, a reserved word and the tag.
    public static let headerBytes = 16

    /// A VM's name in libvirt or a pod's name; longer ones are cut by whoever chooses them.
    public static let nameBytes = 64
    /// Two sentences, a VM's name and a setting's name; the longest of ours is shorter.
    public static let textBytes = 480
    /// A VM has one queued guest request and one launch command; the rest is room for many vCPU threads on one
    /// connection.
    public static let outstandingTags = 64

    /// Longer durations (73 years) are taken as this one, so that adding one to an instant cannot overflow.
    public static let longestDuration = Nanoseconds(1 << 61)
    /// A client that hears nothing for its longest wait and this much more treats the daemon as absent.
    public static let silenceMargin = Nanoseconds.milliseconds(100)
    /// The same for a launch, which may queue for long but hears of its place every second.
    public static let launchSilence = Nanoseconds.seconds(3)
}
