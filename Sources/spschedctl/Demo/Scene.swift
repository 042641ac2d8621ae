import Arbiter
import SPModel

/// What is played in one go: which VMs attest, how launches come, and how long. One policy, freshly started servers.
struct Scene: Sendable {
    var title: String
    var policy: Policy
    var guests: [GuestPlan]
    var launches: LaunchPacing
    var profile: LaunchProfile
    /// What is not counted, at the beginning.
    var warmUp: Nanoseconds
    /// What is.
    var slot: Nanoseconds
    var seed: UInt64

    /// How much longer a launch under way at the end of the slot may take before it is cut.
    var grace: Nanoseconds { max(DemoLimits.graceMin, slot / 4) }
}

/// One guest that attests, and what its VM asks for.
struct GuestPlan: Equatable, Sendable {
    var name: String
    var registration: Registration
    /// `nil`: a tight loop.
    var period: Nanoseconds?
    /// When it begins, after the others may.
    var phase: Nanoseconds

    /// `count` VMs in a tight loop that want 1/s and accept none, at random phases within the warm-up.
    static func antagonists(_ count: Int, warmUp: Nanoseconds, seed: UInt64) -> [GuestPlan] {
        var phases = StartPhases(warmUp: warmUp, seed: seed)
        return (0..<count).map { index in
            GuestPlan(
                name: "antagonist-\(index + 1)", registration: Registration(), period: nil, phase: phases.next())
        }
    }
}

/// When the next VM is launched.
enum LaunchPacing: Equatable, Sendable {
    case none
    /// As soon as the one before runs.
    case oneAfterAnother
    /// At fixed times, but never two at once.
    case every(Nanoseconds)
}

/// What happened in a scene.
struct SceneRecord: Sendable {
    var scene: Scene
    var slotStart = Instant.distantPast
    var slotEnd = Instant.distantPast
    /// When each guest got its reports; in the order of the plan.
    var reports: [[Instant]]
    var refusals: [Instant] = []
    var keysLost = 0
    var launches: [LaunchTimes] = []
    /// The launch that was still under way when the grace was over.
    var cutLaunch: CutLaunch?
    /// Who held the SP, from the emulator's trace.
    var trace: [TraceRun] = []

    struct CutLaunch: Equatable, Sendable {
        var requested: Instant
        var cut: Instant
    }

    init(scene: Scene) {
        self.scene = scene
        reports = Array(repeating: [], count: scene.guests.count)
    }
}
