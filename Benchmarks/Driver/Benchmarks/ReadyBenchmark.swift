import Glibc

/// How long the daemon takes from its start to READY=1.
enum ReadyBenchmark {
    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        var samples: [Double] = []
        for _ in 0..<plan.shortRounds {
            let daemon = try Server.startDaemon(in: workshop, on: nil)
            samples.append(Double(daemon.readyAfter) / 1e6)
            try daemon.stop()
        }
        results.add(.ready, samples)
    }
}
