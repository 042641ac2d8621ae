/// Every bound of this process, each with its reason.
enum DeviceLimits {
    /// The daemon, its successor during a restart, and a few administrators.
    static let connections = 16
    /// As many as there can be connections: one wait sees them all.
    static let eventsPerWait = 16
    /// "Y" or "N" and a line's end; anything longer is no answer.
    static let parameterBytes = 16
}
