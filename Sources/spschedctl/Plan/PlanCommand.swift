import ArgumentParser
import CapacityPlanning
import ConfigurationFiles
import Glibc
import LinuxIO
import Reporting

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say whether a fleet of VMs is admitted, how it boots and attests, and how large it may grow.",
        discussion: """
            Reads a fleet file, asks the daemon's own rules of admission, reckons the worst case by the promises' \
            formulas, and plays the fleet in virtual time on a model of the SP. Needs no daemon, no SNP hardware and \
            no privileges.

            A fleet file names groups of VMs. 40 web servers that are promised a report a second, of which two are \
            launched anew each minute, beside 20 that live on the surplus:

              [[group]]
              name = "web"
              count = 40
              reservation = "1/s"
              requests = "1/s"
              launch_profile = "ovmf-1m"
              launches_per_minute = 2

              [[group]]
              name = "batch"
              count = 20
              reservation = "none"
              requests = "loop"

            spschedctl plan fleet.toml --report plan.html

            capacity-planning.md, among spschedd's documents, explains every key, and how to read the answer.

            Exit codes: 0 the fleet is admitted, though perhaps with less than some VMs want: the first line says so; \
            \(PlanExit.notAdmitted) it is not, and the figures are of the largest one of its shape that is; \
            \(EX_USAGE) a wrong option; \(EX_CANTCREAT) the report could not be written; \(EX_IOERR) the answer \
            could not; \(EX_CONFIG) a mistake in the fleet file or in the configuration that it names.
            """)

    /// Optional, and missed by `run`: the parser would name it as missing where an option is wrong.
    @Argument(help: ArgumentHelp("The fleet file (TOML).", valueName: "fleet.toml"), completion: .file())
    var fleetFile: String?

    private var fleet: String { fleetFile ?? "" }

    @Option(
        help: ArgumentHelp("How much of the host's life is played, after a warm-up; 0 for nothing.", valueName: "s"))
    var seconds: Int64 = 600

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Of start times, service times and pauses.", valueName: "number"),
        transform: SeedText.parse)
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Write a report with plots: one HTML file.", valueName: "file"), completion: .file())
    var report: String?

    @Flag(help: "Print the answer as JSON on standard output, and nothing else there.")
    var json = false

    func validate() throws {
        guard FleetLimits.seconds.contains(seconds) else {
            throw ValidationError("--seconds takes a whole number from 0 to \(FleetLimits.seconds.upperBound).")
        }
    }

    func run() throws {
        guard fleetFile != nil else {
            throw ValidationError("Which fleet? Give the path of its file, as in: spschedctl plan fleet.toml")
        }
        let answers = FleetAnswers(try load())
        let plan = PlanResult(
            file: fleet, answers: answers, simulated: try play(answers), seed: seed, secondsAsked: seconds)
        StandardOutput.print(json ? plan.json.text : plan.text)
        try writeReport(plan)
        if !answers.admission.isAdmitted { throw ExitCode(PlanExit.notAdmitted) }
    }

    private func load() throws -> Fleet {
        do {
            return try FleetFile.load(fleet)
        } catch {
            StandardError.print("\(error)")
            throw ExitCode(EX_CONFIG)
        }
    }

    private func play(_ answers: FleetAnswers) throws -> SimulatedFleet? {
        guard seconds > 0, answers.played.virtualMachines > 0 else { return nil }
        let played = FleetSimulation.seconds(of: answers.played, asked: seconds)
        do {
            return try PlanRun(answers, seconds: played, seed: seed).play()
        } catch {
            StandardError.print("spschedctl: the fleet could not be played: \(error)")
            throw ExitCode(EX_SOFTWARE)
        }
    }

    private func writeReport(_ plan: PlanResult) throws {
        guard let report else { return }
        do {
            try ReportFile.write(PlanReport(plan).html, to: report)
        } catch {
            StandardError.print("spschedctl: the report: \(error)")
            throw ExitCode(EX_CANTCREAT)
        }
    }
}

/// Beside those of sysexits(3).
enum PlanExit {
    /// As grep, cmp and diff say "no".
    static let notAdmitted: Int32 = 1
}

/// What `plan` found.
struct PlanResult {
    let file: String
    let answers: FleetAnswers
    /// `nil` if nothing was to be played, or nothing of this shape is admitted.
    let simulated: SimulatedFleet?
    let seed: UInt64
    /// More than was played, where that would have taken minutes.
    let secondsAsked: Int64
}
