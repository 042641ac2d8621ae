import Arbiter

/// Every limit of `spschedctl launch`, each with its reason.
enum LaunchLimits {
    /// QEMU's greeting and the answers to our commands take a few hundred bytes; its longest events some kilobytes.
    static let messageBytes = 64 * 1_024
    /// What QEMU sends nests a handful deep.
    static let messageDepth = 32
    /// Of a sentence that another program wrote, before it is shown.
    static let foreignTextBytes = 400
    /// Of what virsh prints: a UUID, a state, or its errors.
    static let virshBytes = 16 * 1_024
    /// A grant goes stale only while this process is stopped or the host sleeps; one that is again and again is not
    /// waited for.
    static let grantsTried = 3
    /// How long a launch without a turn (fail-open) may take: as long as a session may stay open by default.
    static let unarbitrated = Nanoseconds.seconds(300)
    /// The kernel closes a process's sockets a moment before the process has ended.
    static let exitMilliseconds: Int32 = 2_000
    /// A wait of the library ends 100 ms after it was cancelled; a cancellation that came before it is repeated.
    static let cancelMilliseconds: Int32 = 50
    /// A monitor that does not listen yet is tried as often: a person does not notice, and a CPU hardly.
    static let knockMilliseconds: Int32 = 50
    /// A person is told of a wait that is longer than this.
    static let noticeMilliseconds: Int32 = 1_000
}
