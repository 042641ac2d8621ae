import Glibc

/// Boot latency against the number of antagonists: one line a policy, on a logarithmic scale.
struct BootPlot {
    private let runs: [RunResult]
    private let policies: [Policy]
    private let numbers: [Int]

    private static let width = 760.0
    private static let height = 380.0
    private static let left = 72.0
    private static let right = 150.0
    private static let top = 28.0
    private static let bottom = 48.0

    /// `nil` without launches.
    init?(_ runs: [RunResult]) {
        self.runs = runs.filter { $0.boot != nil }
        guard !self.runs.isEmpty else { return nil }
        policies = Policy.allCases.filter { policy in runs.contains { $0.policy == policy } }
        numbers = Set(runs.map(\.antagonists)).sorted()
    }

    var markup: String {
        var svg = SVG(
            width: Self.width, height: Self.height,
            label: "Boot latency against the number of VMs that attest, for each policy")
        drawAxes(&svg)
        for policy in policies { draw(policy, &svg) }
        drawNames(&svg)
        return svg.markup
    }

    // MARK: Scales

    /// Decades that hold every value.
    private var decades: ClosedRange<Int> {
        let values = runs.compactMap(\.boot).flatMap {
            [$0.p50.milliseconds, $0.p99.milliseconds, $0.max.milliseconds]
        }
        let low = Int(floor(log10(values.min() ?? 1)))
        let high = Int(ceil(log10((values.max() ?? 1) * 1.4)))
        return low...max(high, low + 1)
    }

    private func y(_ milliseconds: Double) -> Double {
        let span = Double(decades.upperBound - decades.lowerBound)
        let part = (log10(milliseconds) - Double(decades.lowerBound)) / span
        return Self.height - Self.bottom - part * (Self.height - Self.top - Self.bottom)
    }

    /// Numbers stand at equal distances: 0 has no place on a logarithmic axis, and 16 no room beside 0 on a linear one.
    private func x(_ number: Int) -> Double {
        let room = Self.width - Self.left - Self.right
        guard numbers.count > 1, let index = numbers.firstIndex(of: number) else { return Self.left + room / 2 }
        return Self.left + 24 + Double(index) * (room - 48) / Double(numbers.count - 1)
    }

    // MARK: Drawing

    private func drawAxes(_ svg: inout SVG) {
        for decade in decades {
            let value = pow(10, Double(decade))
            svg.line(Self.left, y(value), Self.width - Self.right, y(value), "grid")
            svg.text(Self.tick(value), Self.left - 10, y(value) + 4, anchor: .end, "tick")
            guard decade < decades.upperBound else { continue }
            for step in 2...9 {
                svg.line(Self.left - 4, y(value * Double(step)), Self.left, y(value * Double(step)), "grid")
            }
        }
        for number in numbers {
            svg.text("\(number)", x(number), Self.height - Self.bottom + 20, anchor: .middle, "tick")
        }
        svg.text(
            "VMs attesting in a tight loop", (Self.left + Self.width - Self.right) / 2, Self.height - 8,
            anchor: .middle, "label")
        svg.text("time from first command to running", Self.left - 60, 14, "label")
    }

    private func draw(_ policy: Policy, _ svg: inout SVG) {
        let points = runs.filter { $0.policy == policy }.sorted { $0.antagonists < $1.antagonists }
            .compactMap { run in run.boot.map { (x: x(run.antagonists), boot: $0) } }
        svg.polyline(points.map { ($0.x, y($0.boot.p50.milliseconds)) }, "curve \(policy.rawValue)")
        for point in points {
            // From the middle to the tail.
            svg.line(
                point.x, y(point.boot.p50.milliseconds), point.x, y(point.boot.p99.milliseconds),
                "tail \(policy.rawValue)")
            let marker = point.boot.p50.isCut ? "open" : "full"
            svg.circle(point.x, y(point.boot.p50.milliseconds), 5, "\(marker) \(policy.rawValue)")
            if point.boot.p99.isCut {
                svg.arrowUp(point.x, y(point.boot.p99.milliseconds) - 5, length: 20, "arrow \(policy.rawValue)")
            }
        }
    }

    /// Names at the ends of the curves, moved apart where they would overlap.
    private func drawNames(_ svg: inout SVG) {
        let ends = policies.compactMap { policy -> (Policy, BootLatency)? in
            runs.filter { $0.policy == policy }.max { $0.antagonists < $1.antagonists }?.boot.map { (policy, $0.p50) }
        }.sorted { $0.1 < $1.1 }
        var floor = Double.infinity
        for (policy, latency) in ends {
            let place = min(y(latency.milliseconds) + 4, floor - 30)
            svg.text(policy.rawValue, Self.width - Self.right + 14, place, "name \(policy.rawValue)")
            svg.text(latency.text, Self.width - Self.right + 14, place + 14, "tick")
            floor = place
        }
    }

    private static func tick(_ milliseconds: Double) -> String {
        milliseconds < 1_000 ? "\(Format.fixed(milliseconds, 0)) ms" : "\(Format.fixed(milliseconds / 1_000, 0)) s"
    }
}
