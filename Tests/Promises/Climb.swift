import Simulation

/// From the worst worlds of the swarm to worse ones: numbers are changed, and what raises the ratio is kept.
struct Climb {
    private struct Start {
        let promise: Promise
        let name: WorldName
        let ratio: Int64
    }

    private let starts: [Start]

    init(from tally: Tally) {
        starts = Promise.allCases.flatMap { promise -> [Start] in
            let worst = tally.worst[promise.rawValue]
            guard let name = worst.name else { return [] }
            return (0..<Limits.climbsEach).map { _ in Start(promise: promise, name: name, ratio: worst.perMillion) }
        }
    }

    func run() -> Tally {
        Crew.play(starts.count, "climb") { [starts] unit, tally in
            Self.climb(from: starts[unit], path: UInt64(unit % Limits.climbsEach), &tally)
        }
    }

    /// Changes are numbered, so that each path is another and all are the same next time.
    private static func climb(from start: Start, path: UInt64, _ tally: inout Tally) {
        var (best, ratio) = (start.name, start.ratio)
        for change in 0..<UInt64(Limits.changesEach) {
            var next = best
            next.changes.append(path * 1_000 + change)
            guard var scenario = next.scenario else { return }
            scenario.checksInvariantsEvery = max(scenario.checksInvariantsEvery, 16)
            let reached = tally.play(next, scenario, as: "climb").perMillion(start.promise)
            if reached > ratio { (best, ratio) = (next, reached) }
        }
    }
}
