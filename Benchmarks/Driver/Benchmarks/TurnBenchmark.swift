/// How long one turn takes when nobody else wants one: against the time that 64 bytes take there and back.
///
/// All processes share one CPU, so that what is compared is the work done, and not how long a hypervisor takes to wake
/// another CPU.
enum TurnBenchmark {
    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        let processor = workshop.clientProcessor
        func order(_ mode: LoadOrder.Mode) -> LoadOrder {
            LoadOrder(mode: mode, operations: plan.operations, processor: processor)
        }
        var echoes: [LoadOrder.Mode: [LoadResult]] = [:]
        var measured: [LoadOrder.Mode: [LoadResult]] = [:]
        for _ in 0..<plan.shortRounds {
            // New processes each round: where their memory lies is drawn anew.
            let echo = try Server.start(.echo, in: workshop, on: processor)
            let daemon = try Server.startDaemon(in: workshop, on: processor)
            for mode in [LoadOrder.Mode.acquire, .cycle, .throughLibrary] {
                echoes[mode, default: []].append(try echo.run(order(.echo), in: workshop))
                measured[mode, default: []].append(try daemon.run(order(mode), in: workshop))
            }
            try echo.stop()
            try daemon.stop()
        }
        func ratios(_ mode: LoadOrder.Mode, _ value: (LoadResult) -> Double) -> [Double] {
            Statistics.ratios(measured[mode, default: []].map(value), to: echoes[mode, default: []].map(value))
        }
        results.add(.turnP50, ratios(.acquire, \.p50))
        results.add(.turnP99, ratios(.acquire, \.p99))
        results.add(.cycleP50, ratios(.cycle, \.p50))
        results.add(.turnThroughClientP50, ratios(.throughLibrary, \.p50))
        results.add(.echoP50Time, echoes[.acquire, default: []].map { $0.p50 / 1_000 })
        results.add(.turnP50Time, measured[.acquire, default: []].map { $0.p50 / 1_000 })
        results.add(.turnP99Time, measured[.acquire, default: []].map { $0.p99 / 1_000 })
        results.note(DaemonSettings.sentence)
    }
}
