import Arbiter
import SPModel

/// Launches that come by one pattern and go alike.
public struct LaunchGroup: Sendable {
    public var name: String
    public var profile: LaunchProfile
    public var virtualCPUs: UInt32
    /// What each VM asks for when it registers; `nil`: it never joins, and its commands go straight to the SP's queue.
    public var registration: Registration?
    public var style: LaunchStyle
    public var pattern: LaunchPattern
    public var misconduct = LaunchMisconduct()

    public init(
        _ name: String = "launch", profile: LaunchProfile = .vmm64Pages, virtualCPUs: UInt32 = 1,
        registration: Registration? = Registration(), style: LaunchStyle = .regions,
        pattern: LaunchPattern = .oneAfterAnother
    ) {
        self.name = name
        self.profile = profile
        self.virtualCPUs = virtualCPUs
        self.registration = registration
        self.style = style
        self.pattern = pattern
    }
}

/// How a VMM issues its launch.
public enum LaunchStyle: Sendable, Equatable {
    /// One ioctl a region, and where turns are granted as many as a turn's chunk demands.
    case regions
    /// Ioctls of at most so many pages, with the VMM's own work between them.
    case pages(UInt32)
    /// As `regions`, but all of it in one whole-launch turn: a VMM that cannot be split.
    case whole
    /// Legacy SEV: each region is one command to the SP, which cannot be interrupted (where turns are granted, each
    /// turn's part of it).
    case legacy
}

/// When launches are requested.
public enum LaunchPattern: Sendable, Equatable {
    /// The next as soon as the one before runs.
    case oneAfterAnother
    /// The next as soon as the last command of one before is done; so many are always open.
    case continuous(atOnce: Int)
    /// At fixed times, whatever became of those before. `first` is counted from the beginning of the counted time.
    case evenly(every: Nanoseconds, first: Nanoseconds = .zero)
    /// At random times, independent of each other, so many in a minute on average.
    case random(perMinute: Int64)
    /// So many at once, again and again, or once if `every` is `nil`.
    case storm(of: Int, first: Nanoseconds = .zero, every: Nanoseconds? = nil)
}

/// What the VMM of a launch does that it should not.
public struct LaunchMisconduct: Sendable, Equatable {
    /// Declares this many pages instead of its profile's.
    public var declaredPages: UInt32?
    /// One launch in this many crashes between two ioctls or within one; `nil` for none.
    public var crashesOneIn: UInt64?

    public init() {}
}
