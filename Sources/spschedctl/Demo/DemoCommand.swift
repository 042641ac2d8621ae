import Arbiter
import ArgumentParser
import Glibc
import LinuxIO
import Reporting
import SPModel

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Play a host against an emulated SP: launches while every VM attests in a tight loop.",
        discussion: """
            Starts sp-emulator, spschedd-device and spschedd in a private directory, and one process for each VM. N \
            antagonist VMs attest in a tight loop with the Linux guest driver's behaviour, while other VMs are \
            launched one after another. Three policies meet the same emulated device: 'mutex' (nobody arbitrates), \
            'ratelimit' (one request a second for each VM, as the kernel patch does it) and 'spschedd'. Then the \
            budget is shown at work.

            Needs no SNP hardware, no privileges, and nothing of an spschedd that runs on this host.
            """)

    @Option(
        help: ArgumentHelp("How many VMs attest: a number or a list.", valueName: "n,...")
    )
    var antagonists: [String] = ["0,16,64"]

    @Option(help: ArgumentHelp("Who arbitrates: mutex, ratelimit, spschedd, or a list.", valueName: "policy,..."))
    var policy: [String] = ["mutex,ratelimit,spschedd"]

    @Option(
        help: ArgumentHelp(
            "What is launched: \(LaunchProfile.all.map(\.name).joined(separator: ", ")).", valueName: "profile"))
    var profile = LaunchProfile.vmm64Pages.name

    @Option(help: ArgumentHelp("How long each policy and number is played, after the warm-up.", valueName: "s"))
    var seconds = 3

    @Flag(help: "Launch nothing: only the guests.")
    var noLaunches = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Of start phases, service times and pauses.", valueName: "number"),
        transform: SeedText.parse)
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Write a report with plots: one HTML file.", valueName: "file"), completion: .file())
    var report: String?

    @Flag(help: "Print the results as JSON on standard output, and nothing else there.")
    var json = false

    func validate() throws { _ = try plan() }

    func run() throws {
        do throws(DemoError) {
            let plan = try checkedPlan()
            let outcome = try Show(plan).play()
            StandardOutput.print(json ? Format.json(outcome.results) : outcome.results.text)
            try writeReport(outcome)
        } catch {
            StandardError.print("spschedctl: \(error)")
            throw ExitCode(error.exitCode)
        }
    }

    private func writeReport(_ outcome: ShowOutcome) throws(DemoError) {
        guard let report else { return }
        do throws(SystemError) { try ReportFile.write(HTMLReport(outcome).html, to: report) } catch {
            throw .unwritable(error)
        }
    }
}

// MARK: - From text to a plan

extension DemoCommand {
    /// Validated before; the parser has said so if it did not hold.
    private func checkedPlan() throws(DemoError) -> DemoPlan {
        do { return try plan() } catch { throw .failed(what: "\(error)", log: "") }
    }

    private func plan() throws -> DemoPlan {
        guard let profile = LaunchProfile.named(profile) else {
            throw ValidationError(
                "There is no profile '\(profile)'. Profiles: \(LaunchProfile.all.map(\.name).joined(separator: ", ")).")
        }
        guard (1...DemoLimits.seconds).contains(seconds) else {
            throw ValidationError("--seconds takes a whole number from 1 to \(DemoLimits.seconds).")
        }
        return DemoPlan(
            policies: try policies(), antagonists: try numbers(), profile: profile, slot: .seconds(Int64(seconds)),
            hasLaunches: !noLaunches, seed: seed)
    }

    private func policies() throws -> [Policy] {
        try Self.items(policy).map { item in
            guard let policy = Policy(rawValue: item) else {
                throw ValidationError(
                    "There is no policy '\(item)'. Policies: \(Policy.allCases.map(\.rawValue).joined(separator: ", "))."
                )
            }
            return policy
        }.withoutRepeats()
    }

    private func numbers() throws -> [Int] {
        try Self.items(antagonists).map { item in
            guard let number = Int(item), (0...DemoLimits.antagonists).contains(number) else {
                throw ValidationError(
                    "'\(item)' is no number of antagonists: --antagonists takes 0 to \(DemoLimits.antagonists).")
            }
            return number
        }.withoutRepeats()
    }

    private static func items(_ lists: [String]) -> [String] {
        lists.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }
}

extension Array where Element: Hashable {
    fileprivate func withoutRepeats() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
