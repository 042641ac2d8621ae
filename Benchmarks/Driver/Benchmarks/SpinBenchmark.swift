/// What it costs to wake another CPU for each message, and what bounded spinning of daemon and client saves of it.
enum SpinBenchmark {
    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        guard let other = workshop.otherProcessor else {
            results.note("turn_p50_ratio_two_cpus and turn_p50_ratio_spin were left out: they need two CPUs.")
            return
        }
        let canSpin = try DaemonSettings.areKnown(DaemonSettings.spin, in: workshop)
        if !canSpin { results.note("turn_p50_ratio_spin was left out: this daemon does not know loop.spin.") }
        var order = LoadOrder(mode: .echo, operations: plan.operations / 5, processor: workshop.clientProcessor)
        var echoes: [Double] = []
        var sleeping: [Double] = []
        var spinning: [Double] = []
        for _ in 0..<plan.shortRounds {
            let echo = try Server.start(.echo, in: workshop, on: other)
            order.mode = .echo
            echoes.append(try echo.run(order, in: workshop).p50)
            try echo.stop()
            order.mode = .acquire
            let daemon = try Server.startDaemon(in: workshop, on: other)
            sleeping.append(try daemon.run(order, in: workshop).p50)
            try daemon.stop()
            guard canSpin else { continue }
            let spinner = try Server.startDaemon(in: workshop, on: other, settings: DaemonSettings.spin)
            order.spinNanoseconds = DaemonSettings.spinNanoseconds
            spinning.append(try spinner.run(order, in: workshop).p50)
            order.spinNanoseconds = 0
            try spinner.stop()
        }
        results.add(.turnP50TwoCPUs, Statistics.ratios(sleeping, to: echoes))
        if canSpin { results.add(.turnP50Spin, Statistics.ratios(spinning, to: echoes)) }
    }
}
