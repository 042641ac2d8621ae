import Arbiter

/// Tells a client that is wrong now and then, over months, from one that sends nothing but garbage.
struct MistakeCount {
    /// So many in one `window`. A client under development makes a handful; each costs an answer and a line of
    /// statistics.
    static let max = 256
    static let window = Nanoseconds.seconds(10)

    private var began = Instant.distantPast
    private var count = 0

    /// False: that was one too many.
    mutating func add(at now: Instant) -> Bool {
        if now - began > Self.window {
            began = now
            count = 0
        }
        count += 1
        return count <= Self.max
    }
}
