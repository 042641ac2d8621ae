import Glibc

/// How often the daemon allocates for a turn, counted by Benchmarks/AllocationCounter inside the running process.
enum AllocationBenchmark {
    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        results.add(.allocations, try samples(plan, workshop, settings: ""))
        let recorded = DaemonSettings.trace(in: workshop.freshInMemory("trace"))
        results.add(.allocationsTraced, try samples(plan, workshop, settings: recorded))
    }

    private static func samples(
        _ plan: Plan, _ workshop: borrowing Workshop, settings: String
    ) throws(BenchmarkProblem) -> [Double] {
        let library = try absolutePath(workshop.allocationCounter)
        let file = try workshop.write("\0\0\0\0\0\0\0\0", to: "allocations")
        let daemon = try Server.startDaemon(
            in: workshop, on: workshop.clientProcessor, settings: settings,
            environment: ["LD_PRELOAD=\(library)", "SPSCHEDD_ALLOCATIONS=\(file)"])
        guard try count(file) > 0 else {
            throw .unexpected("the daemon started without one allocation: \(library) does not count")
        }
        let orders = [
            LoadOrder(mode: .acquire, warmUp: 2_000, operations: 10_000, processor: workshop.clientProcessor),
            LoadOrder(mode: .cycle, clients: 64, warmUp: 200, operations: 500, processor: workshop.clientProcessor),
        ]
        var samples: [Double] = []
        for _ in 0..<plan.rounds {
            var allocations: UInt64 = 0
            var turns = 0
            for order in orders {
                let before: () throws(BenchmarkProblem) -> UInt64 = { () throws(BenchmarkProblem) in try count(file) }
                let run = try daemon.run(order, in: workshop, before: before) {
                    (begun, result) throws(BenchmarkProblem) in
                    (allocations: try count(file) - begun, turns: result.operations)
                }
                allocations += run.allocations
                turns += run.turns
            }
            samples.append(Double(allocations) / Double(turns))
        }
        try daemon.stop()
        return samples
    }

    private static func absolutePath(_ path: String) throws(BenchmarkProblem) -> String {
        var resolved = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: realpath(3) writes at most PATH_MAX bytes, its NUL included.
        guard realpath(path, &resolved) != nil else {
            throw .missing(path: path, remedy: "run scripts/build-benchmarks")
        }
        return String(decoding: resolved.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func count(_ path: String) throws(BenchmarkProblem) -> UInt64 {
        guard let file = fopen(path, "re") else {
            throw .missing(path: path, remedy: "something has removed it during the run; measure again")
        }
        defer { fclose(file) }
        var value: UInt64 = 0
        guard fread(&value, MemoryLayout<UInt64>.size, 1, file) == 1 else {
            throw .unexpected("\(path) is shorter than a counter")
        }
        return value
    }
}
