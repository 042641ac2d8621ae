/// What VMs notice of operators who never stop looking: a thousand VMs are registered, three programs ask for status,
/// list and metrics without a pause, and one VM's turns are timed with them and without.
///
/// Runs with and without take turns on one daemon, in short ones, so that whatever drifts drifts for both. The pollers
/// have a CPU of their own where there are two: what is measured is the daemon's time, not theirs.
enum PolledBenchmark {
    private static let virtualMachines = 1_000
    private static let methods = ["Status", "ListVMs", "Metrics"]
    /// Short runs of each kind in one round.
    private static let runs = 3

    static func run(_ plan: Plan, _ workshop: borrowing Workshop, _ results: inout Results) throws(BenchmarkProblem) {
        let orders: [(order: LoadOrder, metric: Metric)] = [
            (order(.acquire, plan.operations / 2, pausing: 0, workshop), .turnP99Polled),
            // A pause longer than what the daemon takes for quiet: each request comes while operators are served.
            (order(.acquire, plan.operations / 60, pausing: 2_000_000, workshop), .turnP99PolledPaced),
        ]
        var ratios: [String: [Double]] = [:]
        var added: [Double] = []
        for _ in 0..<plan.rounds {
            let daemon = try Server.startDaemon(in: workshop, on: workshop.clientProcessor)
            let crowd = try register(at: daemon, workshop)
            for (order, metric) in orders {
                var (without, with): ([LoadResult], [LoadResult]) = ([], [])
                for _ in 0..<runs {
                    without.append(try daemon.run(order, in: workshop))
                    let pollers = try startPollers(at: daemon, workshop)
                    with.append(try daemon.run(order, in: workshop))
                    for poller in pollers { try stop(poller) }
                }
                let (plain, polled) = (Statistics.median(without.map(\.p99)), Statistics.median(with.map(\.p99)))
                ratios[metric.key, default: []].append(polled / plain)
                if metric == .turnP99PolledPaced { added.append((polled - plain) / 1_000) }
            }
            crowd.closeInput()
            try crowd.finish()
            try daemon.stop()
        }
        for (_, metric) in orders { results.add(metric, ratios[metric.key, default: []]) }
        results.add(.turnP99PolledAdded, added)
    }

    private static func order(
        _ mode: LoadOrder.Mode, _ operations: Int, pausing nanoseconds: Int, _ workshop: borrowing Workshop
    ) -> LoadOrder {
        var order = LoadOrder(mode: mode, warmUp: 200, operations: operations, processor: workshop.clientProcessor)
        order.pauseNanoseconds = nanoseconds
        return order
    }

    /// A program with a connection for each VM, which then waits.
    private static func register(at daemon: Server, _ workshop: borrowing Workshop) throws(BenchmarkProblem) -> Program
    {
        let crowd = try Program(
            workshop.load,
            ["--path", daemon.path, "--mode", "register", "--clients", "\(virtualMachines)", "--operations", "1000"],
            errors: workshop.fresh("load.log"))
        // It says how long registering took, and then how long its turns.
        for _ in 0..<2 { _ = try crowd.line(expecting: "a result") }
        return crowd
    }

    private static func startPollers(
        at daemon: Server, _ workshop: borrowing Workshop
    ) throws(BenchmarkProblem) -> [Program] {
        var pollers: [Program] = []
        for method in methods {
            let command = try workshop.pinned(
                workshop.poller, [daemon.managerPath, method], to: workshop.otherProcessor)
            pollers.append(
                try Program(command.program, command.arguments, errors: workshop.fresh("poll.log")))
        }
        for poller in pollers { try poller.wait(for: "ready") }
        return pollers
    }

    private static func stop(_ poller: Program) throws(BenchmarkProblem) {
        poller.closeInput()
        try poller.wait(for: "replies")
        try poller.finish()
    }
}
