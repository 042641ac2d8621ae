import Arbiter
import Reporting

/// Boot latency against the number of antagonists: one line a policy, on a logarithmic scale.
struct BootPlot {
    private let runs: [RunResult]
    private let policies: [Policy]
    private let numbers: [Int]

    /// `nil` without launches.
    init?(_ runs: [RunResult]) {
        self.runs = runs.filter { $0.boot != nil }
        guard !self.runs.isEmpty else { return nil }
        policies = Policy.allCases.filter { policy in runs.contains { $0.policy == policy } }
        numbers = Set(runs.map(\.antagonists)).sorted()
    }

    var markup: String {
        LineChart(
            "Boot latency against the number of VMs that attest, for each policy",
            x: .places("VMs attesting in a tight loop", of: numbers),
            y: .times("time from first command to running", holding: times), series: policies.map(line)
        ).svg.markup
    }

    private var times: [Nanoseconds] { runs.compactMap(\.boot).flatMap { [$0.p50.time, $0.max.time] } }

    /// Each point the middle launch, and above it the tail.
    private func line(_ policy: Policy) -> LineChart.Series {
        let own = runs.filter { $0.policy == policy }.sorted { $0.antagonists < $1.antagonists }
        let points = own.compactMap { run in
            run.boot.map { boot in
                LineChart.Point(
                    Double(run.antagonists), boot.p50.time.milliseconds, tail: boot.p99.time.milliseconds,
                    isLeast: boot.p50.isCut, tailIsLeast: boot.p99.isCut)
            }
        }
        return LineChart.Series(policy.rawValue, note: own.last?.boot?.p50.text, policy.hue, points: points)
    }
}
