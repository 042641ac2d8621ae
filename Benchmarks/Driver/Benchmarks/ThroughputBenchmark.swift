/// How many turns 64 clients get that all want one all the time: against a server that hands them out without a policy.
enum ThroughputBenchmark {
    private static let clients = 64

    private struct Run {
        let turnsPerSecond: Double
        let processorTimePerTurn: Double
    }

    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        let one = try pairs(plan, workshop, serverOn: workshop.clientProcessor)
        results.add(.turnsPerSecond, ratios(one, \.turnsPerSecond))
        results.add(.cpuPerTurn, ratios(one, \.processorTimePerTurn))
        results.add(.turnsPerSecondAbsolute, one.daemon.map(\.turnsPerSecond))
        results.add(.cpuPerTurnTime, one.daemon.map { $0.processorTimePerTurn / 1_000 })
        if let other = workshop.otherProcessor {
            let two = try pairs(plan, workshop, serverOn: other)
            results.add(.turnsPerSecondTwo, ratios(two, \.turnsPerSecond))
        } else {
            results.note("turns_per_s_ratio_64_two_cpus was left out: this process may use one CPU only.")
        }
        results.note(DaemonSettings.sentence)
    }

    private static func ratios(_ runs: (floor: [Run], daemon: [Run]), _ value: (Run) -> Double) -> [Double] {
        Statistics.ratios(runs.daemon.map(value), to: runs.floor.map(value))
    }

    private static func pairs(
        _ plan: Plan, _ workshop: borrowing Workshop, serverOn processor: Int
    ) throws(BenchmarkProblem) -> (floor: [Run], daemon: [Run]) {
        var floors: [Run] = []
        var daemons: [Run] = []
        for _ in 0..<plan.rounds {
            let floor = try Server.start(.oneTurn, in: workshop, on: processor)
            let daemon = try Server.startDaemon(in: workshop, on: processor)
            floors.append(try measure(floor, plan, workshop))
            daemons.append(try measure(daemon, plan, workshop))
            try floor.stop()
            try daemon.stop()
        }
        return (floors, daemons)
    }

    private static func measure(
        _ server: Server, _ plan: Plan, _ workshop: borrowing Workshop
    ) throws(BenchmarkProblem) -> Run {
        let order = LoadOrder(
            mode: .cycle, clients: clients, warmUp: 200, seconds: plan.seconds, processor: workshop.clientProcessor)
        let before: () throws(BenchmarkProblem) -> Int64 = { () throws(BenchmarkProblem) in try server.processorTime() }
        return try server.run(order, in: workshop, before: before) { (spent, result) throws(BenchmarkProblem) in
            Run(
                turnsPerSecond: result.operationsPerSecond,
                processorTimePerTurn: Double(try server.processorTime() - spent) / Double(result.operations))
        }
    }
}
