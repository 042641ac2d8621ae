import Arbiter
import SPModel

/// One launch that is under way, in its place; a place is used again.
struct SimulatedLaunch: Sendable {
    enum Stage: Sendable {
        /// Nobody's place.
        case free
        /// Opens its session when its event is due.
        case opening
        /// Asks for its next turn when its event is due.
        case asking
        /// Waits for a turn.
        case waiting
        /// Issues its ioctl when its event is due.
        case issuing
        /// The ioctl is under way.
        case inService
        /// Its commands are done; the VM runs when its event is due.
        case booting
        /// Crashes when its event is due.
        case crashing
    }

    var stage = Stage.free
    /// Counts the launches of the host; also their order.
    var serial: UInt64 = 0
    var group = 0
    var path = CommandPath.straight
    /// Where its record stands in the group's; `nil` if there are too many to keep.
    var index: Int?
    var boot: BootRecord
    /// Of its pauses.
    var random: SplitMix64
    /// The ioctl that is next or under way, what is left of it, and what the turn covers.
    var step = 0
    var unitsLeft: UInt32 = 0
    var unitsGranted: UInt32 = 0
    /// After this ioctl it crashes, with its turn or after it.
    var crash: (step: Int, holdsTurn: Bool)?

    var vm = VMID.none
    var session: SessionID?
    var turn: TurnID?
}

/// What the launches of a group have in common.
struct SimulatedLaunchGroup: Sendable {
    let path: CommandPath
    let ioctls: [CommandSequence]
    let declared: LaunchPlan
    let registration: Registration
    let crashesOneIn: UInt64?
    let seed: UInt64
    let pattern: LaunchPattern
    var arrivals: RandomArrivals
    var record: LaunchGroupRecord

    var isWhole: Bool { declared.isWhole }
}

extension LaunchGroup {
    /// The ioctls as the VMM issues them.
    var ioctls: [CommandSequence] {
        switch style {
        case .regions, .whole: profile.ioctls(virtualCPUs: virtualCPUs)
        case .pages(let pages): profile.ioctls(virtualCPUs: virtualCPUs, chunkPages: pages)
        case .legacy:
            profile.ioctls(virtualCPUs: virtualCPUs).map { ioctl in
                guard ioctl.kind == .launchUpdate else { return ioctl }
                return CommandSequence(kind: .legacyLaunch, units: ioctl.units) ?? ioctl
            }
        }
    }

    var declared: LaunchPlan {
        LaunchPlan(
            pages: misconduct.declaredPages ?? profile.pages, virtualCPUs: virtualCPUs, isWhole: style == .whole)
    }
}
