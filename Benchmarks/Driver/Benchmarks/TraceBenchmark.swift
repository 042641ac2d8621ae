/// What a turn takes longer when every decision is recorded.
///
/// Two daemons, one with a trace, are asked in turn and in short runs, so that whatever drifts on the machine drifts
/// for both. In a memory file system, where a trace belongs.
enum TraceBenchmark {
    /// Short runs of each daemon in one round.
    private static let runs = 12

    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        let processor = workshop.clientProcessor
        /// Medians are told in steps of some 0.7 %: the mean of the middle half of many is finer.
        func middle(_ medians: [Double]) -> Double {
            let half = medians.sorted().dropFirst(runs / 4).dropLast(runs / 4)
            return half.reduce(0, +) / Double(half.count)
        }
        var ratios: [LoadOrder.Mode: [Double]] = [:]
        for _ in 0..<plan.shortRounds {
            let plain = try Server.startDaemon(in: workshop, on: processor)
            let traced = try Server.startDaemon(
                in: workshop, on: processor, settings: DaemonSettings.trace(in: workshop.freshInMemory("trace")))
            for mode in [LoadOrder.Mode.acquire, .cycle] {
                let order = LoadOrder(mode: mode, operations: plan.operations / 10, processor: processor)
                var (without, with): ([Double], [Double]) = ([], [])
                for run in 0..<runs {
                    // One first, then the other: what follows upon something is then each as often.
                    if run % 2 == 0 { without.append(try plain.run(order, in: workshop).p50) }
                    with.append(try traced.run(order, in: workshop).p50)
                    if run % 2 == 1 { without.append(try plain.run(order, in: workshop).p50) }
                }
                ratios[mode, default: []].append(middle(with) / middle(without))
            }
            try plain.stop()
            try traced.stop()
        }
        results.add(.turnP50Traced, ratios[.acquire, default: []])
        results.add(.cycleP50Traced, ratios[.cycle, default: []])
    }
}
