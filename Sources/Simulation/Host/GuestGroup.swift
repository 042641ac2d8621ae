import Arbiter
import SPModel

/// VMs that live throughout and behave alike.
public struct GuestGroup: Sendable {
    public var name: String
    public var count: Int
    /// What each asks for when it registers; `nil`: they never join, and each request goes straight to the SP's queue
    /// under every policy.
    public var registration: Registration?
    public var model: GuestModel
    public var phase: StartPhase
    /// Whether they only register, and ask nothing.
    public var isSilent = false

    public init(
        _ name: String, count: Int, registration: Registration? = Registration(), model: GuestModel = .tightLoop,
        phase: StartPhase = .random()
    ) {
        self.name = name
        self.count = count
        self.registration = registration
        self.model = model
        self.phase = phase
    }
}

/// What a guest asks, and what its driver does when it is refused.
public struct GuestModel: Sendable, Equatable {
    public var pace: GuestPace
    public var driver: DriverModel
    public var kind: CommandKind
    /// Whether each request comes as a pair: one with too short a certificate buffer, which takes a turn (or a token of
    /// the rate limit) but never reaches the firmware, and at once the real one.
    public var probesLength: Bool

    public init(
        pace: GuestPace, driver: DriverModel = .linux, kind: CommandKind = .report, probesLength: Bool = false
    ) {
        self.pace = pace
        self.driver = driver
        self.kind = kind
        self.probesLength = probesLength
    }

    /// Linux in a tight loop: only the guest's own work between a report and the next request.
    public static let tightLoop = GuestModel(pace: .loop)
    /// Linux on an absolute schedule: it never asks for more than `rate`.
    public static func polite(_ rate: Rate) -> GuestModel { GuestModel(pace: .schedule(every: rate.interval)) }
    /// COCONUT-SVSM in a tight loop.
    public static let svsm = GuestModel(pace: .loop, driver: .once)
    /// A guest from before 2023 in a tight loop.
    public static let old = GuestModel(pace: .loop, driver: .never)
    /// Asks again at once, for ever.
    public static let hostile = GuestModel(pace: .loop, driver: .insistent)
}

/// When a guest wants its next report.
public enum GuestPace: Sendable, Equatable {
    /// As soon as it has digested the last: `Gaps.guestThink` later.
    case loop
    /// On an absolute schedule: what comes late does not shift what follows, and is caught up with.
    case schedule(every: Nanoseconds)
    /// A period after it wanted the last, or at once when that took longer; the schedule then moves.
    case period(every: Nanoseconds)
    /// So many in a tight loop, on an absolute schedule.
    case bursts(of: Int, every: Nanoseconds)
}

/// What a guest's driver does about BUSY.
public enum DriverModel: Sendable, Equatable, CaseIterable {
    /// Linux since 2023: sleeps 2.046 s and sends it again, for 60 s; then its key is lost (`GuestDriver`).
    case linux
    /// COCONUT-SVSM: sends it once more, at once; a second refusal costs it the key.
    case once
    /// Before 2023: the first refusal costs it the key.
    case never
    /// Sends it again at once, for ever (after `Gaps.guestThink`: no guest is faster).
    case insistent
}

/// When guests of a group begin.
public enum StartPhase: Sendable, Equatable {
    /// At random instants of the first `within`; `nil`: of one sleep of a refused guest, or the warm-up if that is
    /// shorter, which is what the demonstration does.
    case random(within: Nanoseconds? = nil)
    /// All at once.
    case aligned
    /// Evenly spaced over this time.
    case spread(over: Nanoseconds)
}
