import Arbiter

/// Every bound of the emulator, each with its reason.
enum EmulatorLimits {
    /// Four times the VMs that a host's ASIDs allow.
    static let connections = 4_096
    /// Descriptors of our own: listener, timer, signals, trace, standard streams, and room.
    static let ownDescriptors = 32
    /// Events taken by one wait; the rest come with the next.
    static let eventsPerWait = 64
    /// Records read from one connection at a time, so that a flood cannot keep others waiting.
    static let recordsPerEvent = 4
    /// A sleep in the kernel ends this much early, and the rest is spun away: timers on a busy guest are tens of
    /// microseconds late.
    static let spin = Nanoseconds.microseconds(150)
    /// Looked at this much after a page's end or beginning, which nobody sees at once: the next page's beginning, 30 µs
    /// later, then needs no wake-up of its own.
    static let coalescing = Nanoseconds.microseconds(50)
    /// 100 MB of trace: an hour of reports without pause, many times over.
    static let traceRows = 2_000_000
    /// Written out when so much has gathered.
    static let traceBufferBytes = 65_536
}
