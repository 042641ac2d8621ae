import FoundationEssentials

/// What the load client is told: see its `usage`.
struct LoadOrder {
    enum Mode: String { case echo, acquire, cycle, throughLibrary = "library" }

    var mode: Mode
    var clients = 1
    /// Of each client, before anything is measured: caches, branch predictors, and the kernel's own.
    var warmUp = 2_000
    var operations: Int?
    var seconds: Int?
    var processor: Int?
    var spinNanoseconds = 0
    /// Before each operation.
    var pauseNanoseconds = 0

    func arguments(path: String) -> [String] {
        var arguments = [
            "--path", path, "--mode", mode.rawValue, "--clients", "\(clients)", "--warm-up", "\(warmUp)", "--step",
        ]
        if let operations { arguments += ["--operations", "\(operations)"] }
        if let seconds { arguments += ["--seconds", "\(seconds)"] }
        if let processor { arguments += ["--cpu", "\(processor)"] }
        if spinNanoseconds > 0 { arguments += ["--spin", "\(spinNanoseconds)"] }
        if pauseNanoseconds > 0 { arguments += ["--pause", "\(pauseNanoseconds)"] }
        return arguments
    }
}

/// What the load client printed.
struct LoadResult: Decodable, Equatable {
    let operations: Int
    let operationsPerSecond: Double
    let p50: Double
    let p99: Double
    /// Turns whose lease ended in a client that had no CPU for so long.
    let lost: Int
    let refusals: Int
    let firstRefusal: String

    enum CodingKeys: String, CodingKey {
        case operations = "ops"
        case operationsPerSecond = "ops_per_s"
        case p50 = "p50_ns"
        case p99 = "p99_ns"
        case firstRefusal = "first_refusal"
        case lost, refusals
    }

    init(line: String) throws(BenchmarkProblem) {
        do {
            self = try JSONDecoder().decode(LoadResult.self, from: Data(line.utf8))
        } catch {
            throw .unreadable(program: "load", line: line)
        }
    }
}

extension Server {
    /// A run in which the machine kept a client from its CPU for longer than a lease says nothing of the server. It is
    /// made anew so many times: on a machine that does so again and again nothing can be measured.
    private static let attempts = 4

    /// Lets clients ask this server, and looks at it while they do nothing else.
    ///
    /// - Parameters:
    ///   - before: when all clients are warm and wait; what it returns is given to `after`.
    ///   - after: when they are done and still connected.
    func run<Before, Outcome>(
        _ order: LoadOrder, in workshop: borrowing Workshop, before: () throws(BenchmarkProblem) -> Before,
        after: (Before, LoadResult) throws(BenchmarkProblem) -> Outcome
    ) throws(BenchmarkProblem) -> Outcome {
        for _ in 0..<Self.attempts {
            if let outcome = try attempt(order, workshop, before, after) { return outcome }
            workshop.noteRepetition()
        }
        throw .unexpected(
            "in \(Self.attempts) runs of mode \(order.mode.rawValue) a client had no CPU for longer than a turn's lease:"
                + " this machine is too busy to measure anything on it")
    }

    func run(_ order: LoadOrder, in workshop: borrowing Workshop) throws(BenchmarkProblem) -> LoadResult {
        let nothing: () throws(BenchmarkProblem) -> Void = {}
        return try run(order, in: workshop, before: nothing) { (_, result) throws(BenchmarkProblem) in result }
    }

    /// `nil`: the machine spoilt it.
    private func attempt<Before, Outcome>(
        _ order: LoadOrder, _ workshop: borrowing Workshop, _ before: () throws(BenchmarkProblem) -> Before,
        _ after: (Before, LoadResult) throws(BenchmarkProblem) -> Outcome
    ) throws(BenchmarkProblem) -> Outcome? {
        let load = try Program(
            workshop.load, order.arguments(path: path), errors: workshop.fresh("load.log"))
        try load.wait(for: "ready")
        let seen = try before()
        load.send()
        let result = try LoadResult(line: try load.line(expecting: "a result"))
        let outcome = try after(seen, result)
        load.send()
        try load.finish()
        guard program.isRunning else { throw .ended(program: program.name, said: program.said) }
        guard result.refusals == 0 else {
            throw .refused(count: result.refusals, mode: order.mode.rawValue, first: result.firstRefusal)
        }
        guard result.lost == 0 else { return nil }
        guard result.operations > 0, result.p50 > 0 else {
            throw .unexpected("the load client measured nothing in mode \(order.mode.rawValue)")
        }
        return outcome
    }
}
