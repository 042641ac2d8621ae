import Arbiter

/// Everything an operator may set. `ConfigurationKey.all` gives each its key, bounds and reason.
struct DaemonConfiguration: Equatable, Sendable {
    var arbiter = Configuration()
    var device = DeviceSettings()
    var vmm = SocketSettings(path: "/run/spschedd/vmm/sock")
    var manager = SocketSettings(path: "/run/spschedd/manager/io.spschedd.Manager")
    var clients = ClientSettings()
    var account = AccountSettings()
    var loop = LoopSettings()
}

/// How the loop waits.
struct LoopSettings: Equatable, Sendable {
    /// After a VM has asked something, the loop looks for the next question this long before it sleeps.
    var spin = Nanoseconds.zero
}

struct DeviceSettings: Equatable, Sendable {
    /// A character device that is opened for reading, or the socket of an emulated SP.
    var path = "/dev/sev"
    /// Where `spschedd-device` listens; `nil`: there is none, and overdue turns are never probed.
    var probeSocket: String? = "/run/spschedd/device/sock"
}

/// A socket that the daemon makes itself when the service manager passes none.
struct SocketSettings: Equatable, Sendable {
    var path: String
    var mode: UInt32 = 0o660
    /// Name or number; `nil`: the daemon's own group.
    var group: String?
}

struct ClientSettings: Equatable, Sendable {
    var vmsMax = Int64(Limits.defaultVMs)
    var connectionsMax: Int64 = 4_096
    /// A connection must say HELLO within this time.
    var helloTimeout = Nanoseconds.seconds(5)
    /// A VM whose last connection is gone stays registered this long, so that it may resume by its token.
    var linger = Nanoseconds.seconds(5)
}

/// Caps of one account: a uid and a security label.
struct AccountSettings: Equatable, Sendable {
    var connectionsMax: Int64 = 3_072
    var vmsMax: Int64 = 768
    /// Launch sessions open at once.
    var launchesMax: Int64 = 64
}
