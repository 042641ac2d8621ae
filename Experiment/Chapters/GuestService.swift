import Arbiter
import Reporting
import Simulation

/// What do the guests get, and is it even? No launches here.
struct GuestService: Chapter {
    private static let numbers = [16, 64, 128, 256]
    private static let contenders: [Contender] = [.mutex, .limited, .limitedAligned, .priority, .spschedd]
    /// Of the windows over which Jain's index is taken, in seconds.
    private static let windows = [1, 2, 5, 10, 20, 30, 60, 120, 300]
    private static let pictured = 64

    private static func cell(_ contender: Contender, _ number: Int) -> Cell {
        var plan = HostPlan(
            policy: contender.policy, configuration: .admitting(number), duration: .seconds(1_200), grace: .zero)
        plan.guests = [contender.guests.group(of: number)]
        return Cell("guests/\(contender.name)/\(number)", plan)
    }

    /// 100 VMs that ask once a second and have that reserved, while VMs are launched at the launch reserve.
    static let promised: Cell = {
        var plan = HostPlan(duration: .seconds(600), grace: .seconds(10))
        let second = Rate.perSecond(1)
        plan.guests = [
            GuestGroup(
                "polite", count: 100, registration: Registration(reservationWanted: second, reservationLeast: second),
                model: .polite(second), phase: .random(within: .seconds(1)))
        ]
        plan.launches = [LaunchGroup(pattern: .evenly(every: .milliseconds(385)))]
        return Cell("guests/promised", plan)
    }()

    var cells: [Cell] {
        Self.contenders.flatMap { contender in Self.numbers.map { Self.cell(contender, $0) } } + [Self.promised]
    }

    func report(_ results: Results) -> ChapterReport {
        let promise = Promise(results[Self.promised], Self.promised.plan)
        return ChapterReport(
            title: "What guests get", text: text(results, promise),
            pictures: [Picture(file: "fairness.svg", chart: picture(results))], key: "guests",
            json: json(results, promise), findings: [promise.finding], reservations: [unevenness(results)])
    }

    private func text(_ results: Results, _ promise: Promise) -> String {
        Markdown.joined([
            Markdown.paragraph(
                """
                N guests in a tight loop, no launches. Reports of each VM are its own over the whole time, in the \
                least, the middle and the most served VM. Latency is from the first attempt to the report, with every \
                refusal and the 2.046 s after it. Jain's index is 1 if all got the same: its mean over all windows of \
                10 and of 30 s, and the least of those of 30 s.
                """),
            table(results),
            Markdown.picture("fairness.svg", "Jain's index of fairness against the length of the window"),
            Markdown.paragraph(promise.text),
        ])
    }

    private func unevenness(_ results: Results) -> String {
        let (mutex, ours) = (results[Self.cell(.mutex, Self.pictured)], results[Self.cell(.spschedd, Self.pictured)])
        func jain(_ record: HostRecord) -> String {
            record.jain(windows: 10).map { Format.fixed($0.mean, 3) } ?? "–"
        }
        func tail(_ record: HostRecord) -> String { record.reportLatency.percentile(perMille: 990)?.cell ?? "–" }
        return """
            Without launches the bare mutex is hard to beat: \(Self.pictured) guests in a tight loop queue there in \
            turn, and wait frozen. `spschedd` refuses whom it would keep waiting for longer than `guest_wait_max`, who \
            then sleeps 2 s: the p99 of a report is \(tail(ours)) instead of \(tail(mutex)), and Jain's index over \
            10 s \(jain(ours)) instead of \(jain(mutex)). [A wait of 1 s](#sensitivity) instead of 0.5 s ends that \
            at this N.
            """
    }

    private func table(_ results: Results) -> String {
        var table = Table(
            [.left("policy"), .right("N"), .right("reports/s"), .right("of each VM, a second"), .right("latency p50")]
                + [.right("p99"), .right("Jain, 10 s"), .right("Jain, 30 s"), .right("least")]
                + [.right("refusals"), .right("keys lost")])
        for contender in Self.contenders {
            for number in Self.numbers { table.append(row(contender, number, results)) }
        }
        return table.markdown
    }

    private func row(_ contender: Contender, _ number: Int, _ results: Results) -> [String] {
        let record = results[Self.cell(contender, number)]
        let each = record.guests[0].guests.map(\.reports).sorted()
        let rates = [each[0], each[each.count / 2], each[each.count - 1]].map {
            Format.fixed(Double($0) / record.length.seconds, 3)
        }
        let latency = record.reportLatency
        let jain = record.jain(windows: 30)
        return [
            "`\(contender.name)`", "\(number)", Format.fixed(record.reportsPerSecond, 1),
            rates.joined(separator: " / "), latency.percentile(perMille: 500)?.cell ?? "–",
            latency.percentile(perMille: 990)?.cell ?? "–",
            record.jain(windows: 10).map { Format.fixed($0.mean, 3) } ?? "–",
            jain.map { Format.fixed($0.mean, 3) } ?? "–", jain.map { Format.fixed($0.least, 3) } ?? "–",
            Format.grouped(record.refusals), "\(record.keysLost)",
        ]
    }

    private func picture(_ results: Results) -> SVG {
        LineChart(
            "Jain's index of fairness between 64 VMs in a tight loop, against the length of the window",
            x: .logarithmic("length of the window, s (N = \(Self.pictured))", holding: Self.windows.map(Double.init)),
            y: .linear("Jain's index of the VMs' reports, mean of all windows", to: 1) { Format.fixed($0, 1) },
            series: Self.contenders.map { contender in
                let record = results[Self.cell(contender, Self.pictured)]
                let points = Self.windows.compactMap { window in
                    record.jain(windows: window).map { LineChart.Point(Double(window), $0.mean) }
                }
                let isAligned = contender == .limitedAligned
                return LineChart.Series(contender.name, contender.hue, isDashed: isAligned, points: points)
            }
        ).svg
    }

    private func json(_ results: Results, _ promise: Promise) -> JSON {
        let cells = Self.contenders.flatMap { contender in
            Self.numbers.map { number in
                let record = results[Self.cell(contender, number)]
                let each = record.guests[0].guests.map(\.reports).sorted()
                return JSON.object([
                    ("policy", .text(contender.name)), ("vms", .integer(Int64(number))),
                    (
                        "reports",
                        .list([each[0], each[each.count / 2], each[each.count - 1]].map { .integer(Int64($0)) })
                    ),
                    ("reports_per_s", .fixed(record.reportsPerSecond, decimals: 2)),
                    ("latency_p50_us", .optional(record.reportLatency.percentile(perMille: 500), \.microseconds)),
                    ("latency_p99_us", .optional(record.reportLatency.percentile(perMille: 990), \.microseconds)),
                    (
                        "jain_by_window_s",
                        .object(
                            Self.windows.map { window in
                                ("\(window)", .optional(record.jain(windows: window)) { .fixed($0.mean, decimals: 4) })
                            })
                    ), ("refusals", .integer(Int64(record.refusals))), ("keys_lost", .integer(Int64(record.keysLost))),
                ])
            }
        }
        return .object([("tight_loop", .list(cells)), ("promised", promise.json)])
    }
}

/// What 100 VMs with one report a second reserved got, while VMs were launched at the launch reserve.
struct Promise {
    private let least: Double
    private let most: Double
    private let latency: LatencyHistogram
    private let launchesPerSecond: Double
    /// Of promise P6.
    private let bound: Nanoseconds

    init(_ record: HostRecord, _ plan: HostPlan) {
        let bursts = plan.guests.reduce(0) { $0 + Int64($1.count) * ($1.registration?.burst ?? 0) }
        bound = PromiseBounds(plan.configuration).reservedWait(bursts: bursts, unreserved: 0)
        let rates = record.guests[0].guests.map { Double($0.reports) / record.length.seconds }
        least = rates.min() ?? 0
        most = rates.max() ?? 0
        latency = record.reportLatency
        launchesPerSecond = Double(record.launches.reduce(0) { $0 + $1.requested }) / record.length.seconds
    }

    var text: String {
        """
        The largest fleet that can be guaranteed: 100 VMs that reserve one report a second and ask once a second at \
        random phases, while \(Format.fixed(launchesPerSecond, 1)) VMs a second are launched, which is what the \
        launch reserve is for. The VMs get \(Format.fixed(least, 3)) to \(Format.fixed(most, 3)) reports a second \
        each; a report takes \(latency.percentile(perMille: 500)?.cell ?? "–") (p50), \
        \(latency.percentile(perMille: 990)?.cell ?? "–") (p99), \(latency.longest.cell) at most. Promise P6 allows \
        \(bound.cell).
        """
    }

    var finding: String {
        """
        100 VMs that reserved 1/s get \(Format.fixed(least, 3))/s or more each, while launches use their whole reserve \
        (the aim is 0.99).
        """
    }

    var json: JSON {
        .object([
            ("least_per_s", .fixed(least, decimals: 4)), ("most_per_s", .fixed(most, decimals: 4)),
            ("latency_p99_us", .optional(latency.percentile(perMille: 990), \.microseconds)),
            ("latency_max_us", latency.longest.microseconds),
            ("launches_per_s", .fixed(launchesPerSecond, decimals: 2)),
        ])
    }
}
