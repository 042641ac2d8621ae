/// What a side can do beyond the bare verbs. Both use what both name; unknown bits are ignored.
public struct Features: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// RESYNC after a restart is answered by RESYNC_STATE.
    public static let resync = Features(rawValue: 1 << 0)
    public static let releaseAndAcquire = Features(rawValue: 1 << 1)
    /// REGISTERED can carry a descriptor of the device.
    public static let deviceDescriptor = Features(rawValue: 1 << 2)
    /// A turn may outlive its connection, for launches driven by another process than the VMM.
    public static let proxyTurns = Features(rawValue: 1 << 3)

    /// Everything that version 1 defines.
    public static let all: Features = [.resync, .releaseAndAcquire, .deviceDescriptor, .proxyTurns]
}
