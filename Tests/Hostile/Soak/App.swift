import ArgumentParser
import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO
import ManagerProtocol

/// A release daemon under hundreds of VMs that come, launch, attest and die: what it holds must not grow, and what it
/// counts must be what they counted.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Let VM processes come, launch, attest and die, and watch what the daemon holds and counts.")

    @Option(help: "How long.")
    var minutes = 30.0

    @Option(help: "VMs at a time. 259 are admitted at the defaults; those that died linger 5 s.")
    var vms = 200

    @Option(help: "Where the results are written as JSON.")
    var results = ".build/soak.json"

    @Option(help: "Where resident memory over time is drawn.")
    var plot = ".build/soak.svg"

    /// Growth of resident memory, once the daemon has settled.
    private static let growthAllowed = 0.01
    /// A line of progress for each so many samples.
    private static let progressEvery = 30

    func validate() throws {
        guard (0.1...1_440).contains(minutes), (1...259).contains(vms) else {
            throw ValidationError("0.1 to 1440 minutes, 1 to 259 VMs.")
        }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let host = try ServedHost(configuration: "")
        let baseline = try baseline(of: host)
        let countersAtStart = try host.status().counters
        let clients = try Program("hostile-soak-vms", ["--path", host.socketPath, "--vms", "\(vms)"])
        guard try clients.line() == "running" else { throw ProcessError("the VMs are not running") }
        let memory = try watch(host, clients)

        let quiet = try clients.ask("quiet", VMsAnswer.self)
        var wrong = Account.wrong(among: quiet.vms, try host.listVMs())
        let last = try clients.ask("leave", VMsAnswer.self)
        guard try clients.waitForEnd() == .exited(code: 0) else { throw ProcessError("the VMs did not end in order") }
        let isEmpty = try host.comes { $0.registeredVMs == 0 && $1.descriptors <= baseline.descriptors }
        let (status, figures) = (try host.status(), try host.figures())
        if !isEmpty { tell("descriptors: \(try ProcessFigures.descriptors(of: host.daemonPID))") }
        let totals = Account.totals(last, status.counters, since: countersAtStart)
        wrong += totals.filter { !$0.isReconciled }
        _ = try host.end()

        var report = Report(
            seconds: memory.samples.count, vms: vms, growth: memory.growth,
            residentAfterStartKiB: memory.residentAfterStart, residentAtEndKiB: memory.residentAtEnd,
            baseline: baseline, atEnd: figures, vmsCompared: quiet.vms.count, totals: totals, clients: last,
            samples: memory.samples)
        report.complaints = complaints(report, wrong, isEmpty: isEmpty, status)
        try write(report, memory)
        guard report.complaints.isEmpty else { throw ExitCode.failure }
    }

    /// What the daemon holds after a first VM has come and gone.
    private func baseline(of host: ServedHost) throws -> ProcessFigures {
        let first = try Program("hostile-victim", ["--path", host.socketPath])
        guard try first.line() == "ready" else { throw ProcessError("the first VM is not registered") }
        _ = try host.baseline(first)
        first.closeInput()
        guard try first.waitForEnd() == .exited(code: 0), try host.comes(to: { status, _ in status.registeredVMs == 0 })
        else { throw ProcessError("the first VM did not leave in order") }
        return try host.figures()
    }

    /// Looks at the daemon each second until the time is over.
    private func watch(_ host: ServedHost, _ clients: Program) throws -> Memory {
        var memory = Memory()
        while memory.samples.count < Int(minutes * 60) {
            // The wait is the clock of the samples, and ends early only if the VMs have something to say.
            guard !clients.speaks(withinMilliseconds: 1_000) else {
                throw ProcessError("the VMs have ended too early, or say what they were not asked")
            }
            memory.add(try host.figures())
            if memory.samples.count % Self.progressEvery == 0 { try tellProgress(host, memory) }
        }
        return memory
    }

    private func tellProgress(_ host: ServedHost, _ memory: Memory) throws {
        guard let figures = memory.samples.last else { return }
        let status = try host.status()
        tell(
            "\(memory.samples.count) s: \(figures.residentKiB) KiB resident (\(figures.anonymousKiB) KiB own),"
                + " \(figures.descriptors) descriptors, \(figures.timers) timers, \(figures.threads) threads;"
                + " \(status.registeredVMs) VMs, \(status.counters.grants) grants,"
                + " \(status.counters.busies.values.reduce(0, +)) refusals, \(status.counters.launches) launches")
    }

    private func complaints(
        _ report: Report, _ wrong: [Account], isEmpty: Bool, _ status: ManagerStatus
    ) -> [String] {
        var complaints = wrong.map {
            "\($0.counter): clients \($0.clients), in flight \($0.inFlight), daemon \($0.daemon)"
        }
        if report.growth >= Self.growthAllowed {
            complaints.append("resident memory has grown by \(report.growth * 100) %")
        }
        if !isEmpty {
            complaints.append(
                "left behind: \(status.registeredVMs) VMs,"
                    + " \(report.atEnd.descriptors - report.baseline.descriptors) descriptors")
        }
        if report.atEnd.timers != report.baseline.timers || report.atEnd.threads != report.baseline.threads {
            complaints.append("timers or threads: \(report.baseline) became \(report.atEnd)")
        }
        if report.clients.deathsBroken > 0 {
            complaints.append("the daemon hung up on \(report.clients.deathsBroken) VMs")
        }
        if report.clients.deathsKilled == 0 || report.clients.sums.launchesBegun == 0 {
            complaints.append("no VM was killed, or none launched: that was no soak")
        }
        return complaints
    }

    private func write(_ report: Report, _ memory: Memory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        print(report.text)
        ResultFile.write(try encoder.encode(report), to: results, option: "--results")
        ResultFile.write(Data(memory.svg.utf8), to: plot, option: "--plot")
        print("resident memory: \(memory.line)")
        for complaint in report.complaints { print("BROKEN: \(complaint)") }
    }

    private func tell(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
