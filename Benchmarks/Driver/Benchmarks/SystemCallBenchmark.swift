import Glibc

/// How many system calls the daemon makes for a turn, and which: counted by strace(1), in runs that are not timed.
enum SystemCallBenchmark {
    private static let strace = "/usr/bin/strace"
    /// A traced daemon is so slow that the only client's next request is there before it has gone back to waiting, and
    /// it never sleeps. This is long enough for it to do so, as it does untraced.
    private static let thinking = 500_000

    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        guard access(strace, X_OK) == 0 else {
            throw .missing(path: strace, remedy: "scripts/setup bench installs it; on Debian: apt-get install strace")
        }
        let recorded = DaemonSettings.trace(in: workshop.freshInMemory("trace"))
        for (metric, clients, settings) in [
            (Metric.systemCalls, 1, ""), (.systemCalls64, 64, ""), (.systemCallsTraced, 1, recorded),
        ] {
            let daemon = try Server.startDaemon(in: workshop, on: workshop.clientProcessor, settings: settings)
            var order = LoadOrder(
                mode: .cycle, clients: clients, warmUp: 200,
                operations: clients == 1 ? plan.tracedTurns : max(100, plan.tracedTurns / 16),
                processor: workshop.clientProcessor)
            if clients == 1 { order.pauseNanoseconds = thinking }
            var samples: [Double] = []
            var names: [String: Double] = [:]
            for _ in 0..<plan.rounds {
                let calls = try trace(daemon, order, workshop)
                samples.append(calls.values.reduce(0, +))
                names.merge(calls) { $0 + $1 }
            }
            try daemon.stop()
            results.add(metric, samples)
            let shares = names.mapValues { $0 / Double(plan.rounds) }.filter { $0.value >= 0.005 }
                .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            results.note("\(metric.key): " + shares.map { "\($0.key) \($0.value.short)" }.joined(separator: ", ") + ".")
        }
    }

    /// Calls for a turn, by name.
    private static func trace(
        _ daemon: Server, _ order: LoadOrder, _ workshop: borrowing Workshop
    ) throws(BenchmarkProblem) -> [String: Double] {
        let summary = workshop.fresh("strace")
        let attach: () throws(BenchmarkProblem) -> Program = { () throws(BenchmarkProblem) in
            let tracer = try Program(
                strace, ["-f", "-c", "-U", "calls,name", "-o", summary, "-p", "\(daemon.program.pid)"], errors: nil)
            try tracer.wait(for: "attached")
            return tracer
        }
        return try daemon.run(order, in: workshop, before: attach) { (tracer, result) throws(BenchmarkProblem) in
            // It writes the summary, and ends by the same signal.
            try tracer.end(by: SIGINT)
            let calls = StraceSummary.parse(try SmallFile.read(summary))
            guard !calls.isEmpty else { throw .unexpected("strace counted nothing: may this user trace processes?") }
            return calls.mapValues { Double($0) / Double(result.operations) }
        }
    }
}

/// `strace -c -U calls,name`: a head, a line for each system call, a line of dashes, the total.
enum StraceSummary {
    static func parse(_ text: String) -> [String: Int] {
        var calls: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let columns = line.split(separator: " ")
            guard columns.count == 2, let count = Int(columns[0]), columns[1] != "total" else { continue }
            calls[String(columns[1])] = count
        }
        return calls
    }
}
