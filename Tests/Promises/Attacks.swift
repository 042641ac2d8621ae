import Foundation
import Simulation

/// One run: the swarm, the known attacks, the climb, every small world, the canaries; then the table.
struct Attacks {
    private let options: Options

    init(_ options: Options) { self.options = options }

    /// - Returns: whether nothing was broken, and every canary was caught.
    func run() throws -> Bool {
        var report = try Report(options)
        var tally = swarm()
        if !options.addsUp {
            tally.add(attacks())
            tally.add(Climb(from: tally).run())
            let small = smallWorlds()
            report.exhaustive = small.worlds["small"] ?? 0
            tally.add(small)
            if let program = options.canaryProgram { report.canaries = try Canaries.ask(program) }
        }
        report.add(tally, seeds: options.seeds)
        try report.write(to: options.output)
        print(report.table)
        for failure in tally.failures { Replay(failure.name, shrinks: true).explain(failure.violation) }
        return tally.violations == 0 && report.canaries.values.allSatisfy(\.isCaught)
    }

    // MARK: The parts

    /// A short world for each seed, and a long one for each tenth.
    private func swarm() -> Tally {
        let seeds = options.seeds
        let count = UInt64(seeds.count)
        let units = (count + Limits.worldsInUnit - 1) / Limits.worldsInUnit
        return Crew.play(Int(units), "worlds of seeds \(seeds.lowerBound) to \(seeds.upperBound)") { unit, tally in
            let first = seeds.lowerBound + UInt64(unit) * Limits.worldsInUnit
            for seed in first...min(first + Limits.worldsInUnit - 1, seeds.upperBound) {
                Self.play(Self.shortKind(seed), seed, as: "short", &tally)
                if seed % 10 == 0 { Self.play(Self.longKind(seed), seed, as: "long", &tally) }
            }
        }
    }

    private static func play(_ kind: String, _ seed: UInt64, as what: String, _ tally: inout Tally) {
        let name = WorldName(kind: kind, seed: seed)
        guard var scenario = name.scenario else { return }
        // Every step is checked in the tests; here what counts is how many worlds.
        scenario.checksInvariantsEvery = max(scenario.checksInvariantsEvery, 16)
        tally.play(name, scenario, as: what)
    }

    private static func shortKind(_ seed: UInt64) -> String {
        switch seed % 20 {
        case 0...11: "random"
        case 12...14: "honest"
        case 15, 16: "launch"
        default: "storm"
        }
    }

    private static func longKind(_ seed: UInt64) -> String {
        switch seed / 10 % 10 {
        case 0...4: "long"
        case 5, 6: "fairness"
        case 7, 8: "reservation"
        default: "patience"
        }
    }

    private func attacks() -> Tally {
        let kinds = Attack.allCases
        return Crew.play(kinds.count * 8, "known attacks") { unit, tally in
            Self.play(kinds[unit % kinds.count].rawValue, UInt64(unit / kinds.count) + 1, as: "attack", &tally)
        }
    }

    private func smallWorlds() -> Tally {
        let count = SmallWorlds.count(virtualMachines: 3)
        let perUnit: UInt64 = 2_000
        return Crew.play(Int((count + perUnit - 1) / perUnit), "every small world") { unit, tally in
            let first = UInt64(unit) * perUnit
            for number in first..<min(first + perUnit, count) {
                let name = WorldName(kind: "small", seed: number)
                if let scenario = name.scenario { tally.play(name, scenario, as: "small") }
            }
        }
    }
}
