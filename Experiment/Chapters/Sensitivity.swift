import Arbiter
import Reporting
import SPModel
import Simulation

/// Which of the assumptions and settings do the results hang on? One is changed at a time, beside 64 VMs.
struct Sensitivity: Chapter {
    private static let guests = 64

    /// One thing that is other than usual.
    private struct Change {
        let what: String
        let value: String
        let cell: Cell

        init(_ what: String, _ value: String, _ change: (inout HostPlan) -> Void) {
            self.what = what
            self.value = value
            var plan = HostPlan(duration: .seconds(900), grace: .seconds(30))
            plan.guests = [Antagonist.loop.group(of: guests)]
            plan.launches = [LaunchGroup()]
            change(&plan)
            cell = Cell("sensitivity/\(what)/\(value)", plan)
        }
    }

    private static let usual = Change("nothing", "–") { _ in }

    private static let changes: [Change] = [usual] + costs + settings

    private static let costs: [Change] = [50, 200].flatMap { (percent: Int64) -> [Change] in
        let factor = percent < 100 ? "× 0.5" : "× 2"
        return [
            Change("report cost, planned so", factor) { plan in
                plan.profile = .milan2024.scaled(reportPercent: percent)
                let cost = plan.configuration.planningCosts.report
                plan.configuration.planningCosts.report = cost * percent / 100
            },
            Change("report cost, planned as usual", factor) { plan in
                plan.profile = .milan2024.scaled(reportPercent: percent)
            },
            Change("page cost, planned as usual", factor) { plan in
                plan.profile = .milan2024.scaled(pagePercent: percent)
            },
        ]
    }

    private static let waits: [Int64] = [20, 100, 200, 1_000, 2_000, 5_000]

    private static func wait(_ milliseconds: Int64) -> Change {
        Change("guest_wait_max (500 ms)", "\(milliseconds) ms") {
            $0.configuration.guestWaitMax = .milliseconds(milliseconds)
        }
    }

    private static let settings: [Change] =
        [200, 1_000, 2_000, 10_000].map { microseconds in
            Change("h (5 ms)", Nanoseconds.microseconds(microseconds).cell) { plan in
                plan.configuration.hold = .microseconds(microseconds)
            }
        }
        + [8, 16, 64].map { pages in
            Change("chunk (32 pages)", "\(pages)") { $0.configuration.chunkPages = UInt32(pages) }
        }
        + waits.map(wait)

    var cells: [Cell] { Self.changes.map(\.cell) }

    func report(_ results: Results) -> ChapterReport {
        ChapterReport(
            title: "Sensitivity",
            text: Markdown.joined([
                Markdown.paragraph(
                    """
                    `spschedd` beside \(Self.guests) VMs in a tight loop, one launch after another. One thing is \
                    changed at a time; the usual value stands in brackets. *Planned so* means that the operator's \
                    planning costs say the same as the SP does; *planned as usual* that they are wrong by that factor.
                    """),
                table(results), Markdown.paragraph(reading(results)),
            ]), key: "sensitivity", json: json(results))
    }

    private func reading(_ results: Results) -> String {
        func tail(_ wait: Int64) -> String {
            results[Self.wait(wait).cell].reportLatency.percentile(perMille: 990)?.cell ?? "–"
        }
        func busy(_ change: Change) -> String {
            let record = results[change.cell]
            return "\(Format.fixed(record.percent(record.device.busy), 1)) %"
        }
        let usual = results[Self.usual.cell].reportLatency.percentile(perMille: 990)?.cell ?? "–"
        return """
            Boot latency hangs on what a page costs, little on what a report costs, and hardly on the settings, as \
            long as *h* is no shorter than a VMM's longest pause, 2 ms here. Wrong planning costs harm neither boots \
            nor throughput here: they decide what is admitted. What guests see hangs on `guest_wait_max`: where it \
            covers one round of all guests, hardly anybody is refused (p99 \(tail(1_000)) at 1 s, \(usual) at 0.5 s); \
            where it is as short as 20 ms, all are asleep now and then while the SP is idle (busy \
            \(busy(Self.wait(20))) of the time, \(busy(Self.usual)) at 0.5 s).
            """
    }

    private func table(_ results: Results) -> String {
        var table = Table(
            [.left("changed"), .left("to"), .right("boot p50"), .right("p99"), .right("reports/s")]
                + [.right("report p50"), .right("report p99"), .right("Jain, 30 s"), .right("refusals")]
                + [.right("idle in holds"), .right("keys lost")])
        for change in Self.changes {
            let record = results[change.cell]
            let boots = Latencies(record.boots(within: BootLatency.patience))
            table.append(
                [change.what, change.value]
                    + [500, 990].map { boots.quantile(perMille: $0)?.cell ?? "–" }
                    + [Format.fixed(record.reportsPerSecond, 1)]
                    + [500, 990].map { record.reportLatency.percentile(perMille: $0)?.cell ?? "–" } + [
                        record.jain(windows: 30).map { Format.fixed($0.mean, 3) } ?? "–",
                        Format.grouped(record.refusals),
                        "\(Format.fixed(record.percent(record.device.idleInHolds), 1)) %",
                        "\(record.keysLost)",
                    ])
        }
        return table.markdown
    }

    private func json(_ results: Results) -> JSON {
        .list(
            Self.changes.map { change in
                let record = results[change.cell]
                return .object(
                    [
                        ("changed", .text(change.what)), ("to", .text(change.value)),
                        ("boot_us", .optional(LatencyStatistics(record.boots(within: BootLatency.patience)), \.json)),
                        ("report_p99_us", .optional(record.reportLatency.percentile(perMille: 990), \.microseconds)),
                        ("jain_30_s", .optional(record.jain(windows: 30)) { .fixed($0.mean, decimals: 4) }),
                        ("refusals", .integer(Int64(record.refusals))),
                    ] + Pool(records: [record]).deviceJSON)
            })
    }
}
