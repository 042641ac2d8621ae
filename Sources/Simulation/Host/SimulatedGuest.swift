import Arbiter
import SPModel

/// One VM that lives throughout, as its host sees it.
struct SimulatedGuest: Sendable {
    enum Stage: Sendable {
        /// Wants its next report when its event is due.
        case resting
        /// Sends the same message again when its event is due.
        case refused
        /// Waits for an answer.
        case asking
        /// Has no key, or was not admitted: asks no more.
        case silent
    }

    let group: Int
    let member: Int
    /// How its requests reach the SP.
    let path: CommandPath
    var vm = VMID.none
    var limit: LinuxRateLimit?
    var stage = Stage.resting
    /// When it wanted, or will want, its report by its own schedule.
    var wanted: Instant
    /// Of the report, and of the message that is being sent.
    var began: Instant
    var firstAttempt: Instant
    var attempted: Instant
    var refusals = 0
    /// Whether the message is the first of a pair.
    var isProbing = false
    /// What is left of its burst.
    var burstLeft = 0
    var turn: TurnID?
    var record = GuestRecord()
}

/// How commands of a VM reach the SP under the plan's policy.
enum CommandPath: Sendable {
    /// To the SP's queue, page by page.
    case straight
    /// The same, where a rate limit lets them.
    case limited
    /// In turns of the baseline scheduler.
    case prioritised
    /// In turns of the Arbiter.
    case arbitrated

    init(_ policy: HostPolicy, joins: Bool) {
        guard joins else {
            self = .straight
            return
        }
        switch policy {
        case .mutex: self = .straight
        case .rateLimit: self = .limited
        case .priority: self = .prioritised
        case .spschedd: self = .arbitrated
        }
    }
}

/// The part of a group's record that is not a single VM's, and what its VMs do.
struct SimulatedGuestGroup: Sendable {
    let model: GuestModel
    let request: CommandSequence
    var admission = AdmissionRecord()
    var latency = LatencyHistogram()
    var windows: WindowedCounts
    /// Where its VMs stand among all.
    let members: Range<Int>
}
