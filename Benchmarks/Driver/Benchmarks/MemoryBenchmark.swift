import FoundationEssentials

/// What a thousand VMs cost: their memory, and how long they take to come.
enum MemoryBenchmark {
    private static let clients = 1_000
    private static let turns = 20_000

    private struct Progress: Decodable {
        let elapsed: Double

        enum CodingKeys: String, CodingKey { case elapsed = "elapsed_ns" }
    }

    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        var connecting: [Double] = []
        var memory: [String: [Double]] = [:]
        for _ in 0..<plan.rounds {
            let daemon = try Server.startDaemon(in: workshop, on: nil)
            let load = try Program(
                workshop.load,
                [
                    "--path", daemon.path, "--mode", "register", "--clients", "\(clients)", "--operations", "\(turns)",
                ], errors: workshop.fresh("load.log"))
            connecting.append(try elapsed(load))
            _ = try elapsed(load)
            for name in ["VmRSS", "RssAnon", "RssFile"] { memory[name, default: []].append(try daemon.memory(name)) }
            load.closeInput()
            try load.finish()
            try daemon.stop()
        }
        results.add(.rss, memory["VmRSS", default: []])
        results.add(.rssAnonymous, memory["RssAnon", default: []])
        results.add(.rssFile, memory["RssFile", default: []])
        results.add(.connect1000, connecting)
        results.note(DaemonSettings.sentence)
    }

    /// Milliseconds of the step that the client reports next.
    private static func elapsed(_ load: Program) throws(BenchmarkProblem) -> Double {
        let line = try load.line(expecting: "a result")
        guard let progress = try? JSONDecoder().decode(Progress.self, from: Data(line.utf8)) else {
            throw .unreadable(program: "load", line: line)
        }
        return progress.elapsed / 1e6
    }
}
