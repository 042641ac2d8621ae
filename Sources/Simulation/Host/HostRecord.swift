import Arbiter
import SPModel

/// What happened on a simulated host. Counts, unless they say otherwise, are of the counted time only.
public struct HostRecord: Sendable {
    /// The counted time; the end not included.
    public internal(set) var began: Instant
    public internal(set) var ended: Instant
    /// In the plan's order.
    public internal(set) var guests: [GuestGroupRecord] = []
    public internal(set) var launches: [LaunchGroupRecord] = []
    public internal(set) var device = DeviceRecord()
    /// What the Arbiter counted from the beginning of the warm-up to the end of the grace; `nil` under other policies.
    public internal(set) var arbiter: Totals?

    /// The counted time's length.
    public var length: Nanoseconds { ended - began }

    func counts(_ instant: Instant) -> Bool { began <= instant && instant < ended }
}

/// What became of registrations.
public struct AdmissionRecord: Sendable, Equatable {
    public internal(set) var admitted = 0
    public internal(set) var refused = 0
    /// Why the first of those was refused.
    public internal(set) var firstRefusal: AdmissionRefusal?
    /// The reservations granted, summed over the VMs admitted.
    public internal(set) var reserved = Rate.zero
}

// MARK: - Guests

/// What the VMs of a group got.
public struct GuestGroupRecord: Sendable {
    public let name: String
    public internal(set) var admission = AdmissionRecord()
    /// From the first attempt to the report, refusals and sleeps included; of reports that ended in the counted time.
    public internal(set) var latency = LatencyHistogram()
    /// One for each VM. One that was not admitted asks nothing.
    public internal(set) var guests: [GuestRecord]
    /// Reports of each VM in each window of the counted time.
    public internal(set) var windows: WindowedCounts

    public var reports: Int { guests.reduce(0) { $0 + $1.reports } }
    public var refusals: Int { guests.reduce(0) { $0 + $1.refusals } }
    public var keysLost: Int { guests.count { $0.keyLost != nil } }
}

/// What one VM got.
public struct GuestRecord: Sendable, Equatable {
    public internal(set) var isAdmitted = true
    public internal(set) var reports = 0
    public internal(set) var refusals = 0
    /// Requests that the device failed.
    public internal(set) var failures = 0
    /// When its driver wiped its key, warm-up and grace included.
    public internal(set) var keyLost: Instant?
    /// The longest from a first attempt to its report.
    public internal(set) var longestLatency = Nanoseconds.zero
    /// The longest that one attempt froze its vCPU: until the report, or until BUSY.
    public internal(set) var longestFrozen = Nanoseconds.zero
    /// The longest between two of its reports that both ended in the counted time.
    public internal(set) var longestPause = Nanoseconds.zero
    /// When each report ended, warm-up and grace included, if the plan keeps them.
    public internal(set) var reportTimes: [Instant] = []
    var lastReport: Instant?
}

/// Reports of each VM of a group in each window.
public struct WindowedCounts: Sendable, Equatable {
    public let window: Nanoseconds
    /// Whole windows in the counted time; a rest is not counted here.
    public let windows: Int
    let began: Instant
    /// VM by VM.
    private(set) var counts: [UInt32]

    init(guests: Int, window: Nanoseconds, length: Nanoseconds, began: Instant) {
        self.window = window
        self.began = began
        windows = Int(length.count / max(window.count, 1))
        counts = Array(repeating: 0, count: guests * windows)
    }

    public func reports(of guest: Int, inWindow window: Int) -> Int { Int(counts[guest * windows + window]) }

    mutating func add(_ guest: Int, at instant: Instant) {
        let index = Int((instant - began).count / window.count)
        guard instant >= began, index < windows else { return }
        counts[guest * windows + index] += 1
    }
}

// MARK: - Launches

/// What became of the launches of a group.
public struct LaunchGroupRecord: Sendable {
    public let name: String
    public internal(set) var admission = AdmissionRecord()
    /// In the order in which they were requested; at most `HostLimits.bootsRecorded`, of which `requested` is the whole
    /// number.
    public internal(set) var boots: [BootRecord] = []
    public internal(set) var requested = 0
    /// Requested while `HostLimits.launchesAtOnce` were under way: they count as requested and were never begun.
    public internal(set) var turnedAway = 0
}

/// One launch.
public struct BootRecord: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// Still under way when the grace was over.
        case cut
        case running
        /// The VM could not register.
        case notAdmitted
        /// The device failed one of its commands, or the Arbiter ended its session.
        case failed
        /// Its VMM crashed, as planned.
        case crashed
    }

    /// The VMM wanted to issue its first command.
    public let requested: Instant
    /// It could: its first turn was granted, or its first ioctl was issued where nobody grants turns.
    public internal(set) var began: Instant?
    /// The last command was done.
    public internal(set) var ended: Instant?
    /// The VM runs; or when it became clear that it will not.
    public internal(set) var settled: Instant
    public internal(set) var outcome = Outcome.cut
    /// SP time of its commands.
    public internal(set) var service = Nanoseconds.zero

    /// From the request to the running VM, or the least it can have been if it was cut.
    public var latency: Nanoseconds { settled - requested }
}

// MARK: - The SP

/// What the SP did in the counted time.
public struct DeviceRecord: Sendable, Equatable {
    /// Commands that ended.
    public internal(set) var commands: UInt64 = 0
    /// SP time served, and the rest. Over `HostRecord.length` they are the utilisation.
    public internal(set) var busy = Nanoseconds.zero
    public internal(set) var idle = Nanoseconds.zero
    /// SP time served to launches and to guests' requests; the rest of `busy` is teardowns and probes.
    public internal(set) var launchService = Nanoseconds.zero
    public internal(set) var guestService = Nanoseconds.zero
    /// Where turns are granted: while none was outstanding and something eligible waited, in holds.
    public internal(set) var idleInHolds = Nanoseconds.zero
    /// The same outside holds: zero, if the policy is work conserving.
    public internal(set) var idleWhileEligible = Nanoseconds.zero
    /// Turns revoked after their lease, and probes asked for, from the warm-up to the end of the grace.
    public internal(set) var revoked: UInt64 = 0
    public internal(set) var probes: UInt64 = 0
}
