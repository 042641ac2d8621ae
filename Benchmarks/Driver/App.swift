import Arbiter
import ArgumentParser
import Glibc
import LinuxIO

/// What every benchmark of the project is started by: `make bench`, `make bench-quick`.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedd-bench",
        abstract: "Measure spschedd against C programs that do the same without any policy.",
        discussion: """
            Starts the daemon and the floors that it is compared with, lets client processes ask them in turn, and \
            prints medians. Everything runs on this machine, without a Secure Processor: a turn is released as soon \
            as it is granted, so that nothing but the scheduling is measured.
            """,
        version: PackageVersion.current)

    @Flag(help: "Fewer and shorter rounds: a look within two minutes, not a figure to publish.")
    var quick = false

    @Flag(help: "Print the results as JSON instead of a table.")
    var json = false

    @Flag(help: "Exit with status 1 if a mark is missed.")
    var check = false

    @Option(help: ArgumentHelp("What to measure, of \(Measurement.names).", valueName: "name,..."))
    var only: String?

    @Option(help: "Where the results are written, as JSON.")
    var output = ".build/bench.json"

    @Option(help: "Where scripts/build-benchmarks put the C programs.")
    var programs = ".build/benchmarks"

    static func main() {
        StandardStreams.secure()
        main(nil)
    }

    func validate() throws { _ = try measurements() }

    func run() throws {
        // A program that ends while it is spoken to is reported as such, by whoever reads from it next.
        signal(SIGPIPE, SIG_IGN)
        do {
            let results = try measure()
            try results.json.write(to: output)
            Say.result(json ? results.json.text : results.table)
            guard check else { return }
            let missed = results.missedMarks
            if !missed.isEmpty {
                Say.progress("missed: \(missed.joined(separator: ", "))")
                throw ExitCode(1)
            }
        } catch let problem as BenchmarkProblem {
            Say.progress("no result: \(problem)")
            throw ExitCode(EX_UNAVAILABLE)
        }
    }

    private func measurements() throws -> [Measurement] {
        guard let only else { return Measurement.allCases }
        return try only.split(separator: ",").map { name in
            guard let measurement = Measurement(rawValue: String(name)) else {
                throw ValidationError("There is no measurement '\(name)'. There are: \(Measurement.names).")
            }
            return measurement
        }
    }

    private func measure() throws -> Results {
        let machine = try Machine()
        if let warning = machine.warning { Say.progress(warning) }
        let plan = quick ? Plan.quick : Plan.full
        let workshop = try Workshop(programs: programs, processors: machine.processors)
        var results = Results(machine: machine, plan: plan)
        for measurement in try measurements() {
            let began = Clock.monotonic()
            try measurement.run(plan, workshop, &results)
            Say.progress("\(measurement.rawValue): \((Clock.monotonic() - began) / 1_000_000_000) s")
        }
        if workshop.repeated > 0 {
            results.note(
                "Runs made anew: \(workshop.repeated). In each a client had had no CPU for longer than a turn's lease.")
        }
        return results
    }
}

/// The parts of a run, in their order.
enum Measurement: String, CaseIterable {
    case ready, decision, simulation, turn, trace, polled, throughput, spin, memory, allocations, syscalls

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws {
        switch self {
        case .ready: try ReadyBenchmark.run(plan, workshop, &results)
        case .decision: try DecisionBenchmark.run(plan, &results)
        case .simulation: try SimulationBenchmark.run(plan, &results)
        case .turn: try TurnBenchmark.run(plan, workshop, &results)
        case .trace: try TraceBenchmark.run(plan, workshop, &results)
        case .polled: try PolledBenchmark.run(plan, workshop, &results)
        case .throughput: try ThroughputBenchmark.run(plan, workshop, &results)
        case .spin: try SpinBenchmark.run(plan, workshop, &results)
        case .memory: try MemoryBenchmark.run(plan, workshop, &results)
        case .allocations: try AllocationBenchmark.run(plan, workshop, &results)
        case .syscalls: try SystemCallBenchmark.run(plan, workshop, &results)
        }
    }
}
