import Arbiter
import CapacityPlanning
import LinuxIO
import Reporting
import Simulation

/// Plays a fleet, and tells how far it is.
struct PlanRun: ~Copyable {
    private var simulation: FleetSimulation
    private var progress = Progress(scenes: 1)
    private let title: String

    /// Between two looks at the clock: a second of a busy host is played in some ten milliseconds.
    private static let step = Nanoseconds.seconds(1)

    init(_ answers: FleetAnswers, seconds: Int64, seed: UInt64) throws(HostPlanError) {
        title = "\(Format.grouped(Int(answers.played.virtualMachines))) VMs in virtual time"
        simulation = try FleetSimulation(answers.played, answers.playedAdmission, seconds: seconds, seed: seed)
    }

    consuming func play() -> SimulatedFleet {
        progress.begin(title, length: simulation.expected)
        var next = BootClock.now()
        while !simulation.isDone {
            simulation.play(to: simulation.elapsed + Self.step)
            guard BootClock.now() >= next else { continue }
            next = BootClock.now() + DemoLimits.progressEvery
            progress.update(
                elapsed: simulation.elapsed, "\(Format.grouped(Int(clamping: simulation.commands))) commands")
        }
        progress.end()
        return simulation.outcome
    }
}
