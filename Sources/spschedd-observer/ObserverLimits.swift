import Arbiter

/// Every limit of the observer, each with its reason.
enum ObserverLimits {
    /// The kernel's buffer for each CPU. An SP serves some 130 requests a second, all guests together: minutes of them.
    static let bufferKiB = 64
    /// Read at once; there is no more than the above to read.
    static let readBytes = 64 * 1_024
    /// How often the daemon is told.
    static let reportEvery = Nanoseconds.seconds(1)
    /// Periods of `reportEvery` for which a process is still told of after its last request: the daemon may have been
    /// restarted meanwhile.
    static let remembered: UInt64 = 60
    /// Processes in one call, some 110 bytes each: the Manager reads 16 KiB.
    static let processesPerCall = 100
    /// A daemon that does not answer for so long is told at the next opportunity.
    static let patienceMilliseconds: Int32 = 2_000
}
