import Arbiter

/// Everything an operator may set. `keys` gives each its key, bounds and reason.
public struct DaemonConfiguration: Equatable, Sendable {
    public var arbiter = Configuration()
    public var device = DeviceSettings()
    public var vmm = SocketSettings(path: "/run/spschedd/vmm/sock")
    public var manager = SocketSettings(path: "/run/spschedd/manager/io.spschedd.Manager")
    public var clients = ClientSettings()
    public var account = AccountSettings()
    /// Sorted by name.
    public var policies: [PolicySettings] = []
    public var loop = LoopSettings()
    public var trace = TraceSettings()

    /// The defaults.
    public init() {}
}

/// How the loop waits.
public struct LoopSettings: Equatable, Sendable {
    /// After a VM has asked something, the loop looks for the next question this long before it sleeps.
    public var spin = Nanoseconds.zero
}

public struct DeviceSettings: Equatable, Sendable {
    /// A character device that is opened for reading, or the socket of an emulated SP.
    public var path = "/dev/sev"
    /// Where `spschedd-device` listens; `nil`: there is none, and overdue turns are never probed.
    public var probeSocket: String? = "/run/spschedd/device/sock"
    /// The file of certificates that VMMs hand to guests under a lock; `nil`: there is none. `spschedctl` locks it
    /// before it asks for a command that changes what reports are signed with.
    public var certificates: String?
}

/// A socket that the daemon makes itself when the service manager passes none.
public struct SocketSettings: Equatable, Sendable {
    public var path: String
    public var mode: UInt32 = 0o660
    /// Name or number; `nil`: the daemon's own group.
    public var group: String?
}

public struct ClientSettings: Equatable, Sendable {
    public var vmsMax = Int64(Limits.defaultVMs)
    public var connectionsMax: Int64 = 4_096
    /// A connection must say HELLO within this time.
    public var helloTimeout = Nanoseconds.seconds(5)
    /// A VM whose last connection is gone stays registered this long, so that it may resume by its token.
    public var linger = Nanoseconds.seconds(5)
}

/// Caps of one account: a uid and a security label.
public struct AccountSettings: Equatable, Sendable {
    public var connectionsMax: Int64 = 3_072
    public var vmsMax: Int64 = 768
    /// Launch sessions open at once.
    public var launchesMax: Int64 = 64
}

/// The record of every decision and of what led to it.
public struct TraceSettings: Equatable, Sendable {
    /// `nil`: nothing is recorded.
    public var file: String?
    /// Ten minutes at least of an SP that does nothing but reports, by a tenth of what a host of VMs takes.
    public var sizeMebibytes: Int64 = 32
}
