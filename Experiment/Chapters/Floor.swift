import Arbiter
import Reporting
import Simulation

/// What do guests keep while launches never stop?
struct Floor: Chapter {
    private static let guests = 64
    private static let atOnce = 4
    private static let shares: [Int64] = [5, 10, 20, 30, 40, 50]
    private static let floors: [Contender] = [.floor, .spschedd]
    private static let others: [Contender] = [.mutex, .limited, .priority, .hold]

    private static func cell(_ contender: Contender, percent: Int64) -> Cell {
        var plan = HostPlan(policy: contender.policy, duration: .seconds(600), grace: .seconds(60))
        plan.configuration.floorShare = Share(percent: percent)
        plan.guests = [contender.guests.group(of: guests)]
        plan.launches = [LaunchGroup(pattern: .continuous(atOnce: atOnce))]
        return Cell("floor/\(contender.name)/\(percent)", plan)
    }

    private static let standard: Int64 = 10

    var cells: [Cell] {
        Self.floors.flatMap { contender in Self.shares.map { Self.cell(contender, percent: $0) } }
            + Self.others.map { Self.cell($0, percent: Self.standard) }
    }

    func report(_ results: Results) -> ChapterReport {
        let shares = Self.shares.map { share in
            results[Self.cell(.spschedd, percent: share)].guestShare / Double(share)
        }
        let storm = results[Self.cell(.spschedd, percent: Self.standard)].reportLatency
        return ChapterReport(
            title: "The floor", text: text(results),
            pictures: [Picture(file: "floor.svg", chart: picture(results))], key: "floor", json: json(results),
            findings: [
                """
                While launches never stop, guests get at least \(Format.fixed(shares.min() ?? 0, 3)) × the floor share \
                that is configured. Under strict priority without a floor they get nothing.
                """
            ],
            reservations: [
                """
                A floor of \(Self.standard) % is little for \(Self.guests) guests: while launches never stop, a \
                report takes \(storm.percentile(perMille: 500)?.cell ?? "–") (p50) and \
                \(storm.percentile(perMille: 990)?.cell ?? "–") (p99).
                """
            ])
    }

    private func text(_ results: Results) -> String {
        Markdown.joined([
            Markdown.paragraph(
                """
                \(Self.atOnce) launches are open at any time, a new one as soon as one is done, and \(Self.guests) \
                guests ask in a tight loop. The line is what the floor share promises; the points are what the guests \
                got of the SP's time.
                """),
            Markdown.picture("floor.svg", "The guests' share of the SP against the floor share"),
            table(results),
        ])
    }

    private func table(_ results: Results) -> String {
        var table = Table(
            [.left("policy"), .right("floor share"), .right("guests' share"), .right("launches/s")]
                + [.right("boot p50"), .right("report p50"), .right("report p99"), .right("longest wait frozen")]
                + [.right("refusals"), .right("keys lost")])
        for contender in Self.others + Self.floors {
            let hasFloor = Self.floors.contains(contender)
            for share in hasFloor ? Self.shares : [Self.standard] {
                let record = results[Self.cell(contender, percent: share)]
                let boots = Latencies(record.boots(within: .seconds(600)))
                let frozen = record.guests[0].guests.map(\.longestFrozen).max() ?? .zero
                table.append(
                    [
                        "`\(contender.name)`", hasFloor ? "\(share) %" : "–",
                        "\(Format.fixed(record.guestShare, 1)) %", Format.fixed(record.launchesPerSecond, 2),
                        boots.quantile(perMille: 500)?.cell ?? "–",
                    ]
                        + (record.isStarved
                            ? ["never", "never", "for ever"]
                            : [500, 990].map { record.reportLatency.percentile(perMille: $0)?.cell ?? "–" }
                                + [frozen.cell]) + [Format.grouped(record.refusals), "\(record.keysLost)"])
            }
        }
        return table.markdown
    }

    private func picture(_ results: Results) -> SVG {
        let ends = [0.0, Double(Self.shares.max() ?? 0)]
        let lines = Self.floors.map { contender in
            LineChart.Series(
                contender.name, contender.hue,
                points: Self.shares.map { share in
                    .init(Double(share), results[Self.cell(contender, percent: share)].guestShare)
                })
        }
        let promise = LineChart.Series(
            "promised", .amber, isDashed: true, hasMarkers: false, points: ends.map { .init($0, $0) })
        return LineChart(
            "The guests' share of the SP during a continuous storm, against the floor share",
            x: .linear("floor share φ, %", to: ends[1]),
            y: .linear("guests' share of the SP's time, %", to: lines.flatMap(\.points).map(\.y).max() ?? 1),
            series: [promise] + lines
        ).svg
    }

    private func json(_ results: Results) -> JSON {
        let played =
            Self.floors.flatMap { contender in Self.shares.map { (contender, $0) } }
            + Self.others.map { ($0, Self.standard) }
        return .list(
            played.map { contender, share in
                let record = results[Self.cell(contender, percent: share)]
                return .object([
                    ("policy", .text(contender.name)), ("floor_share_percent", .integer(share)),
                    ("guests_percent", .fixed(record.guestShare, decimals: 2)),
                    ("launches_per_s", .fixed(record.launchesPerSecond, decimals: 3)),
                    ("report_p99_us", .optional(record.reportLatency.percentile(perMille: 990), \.microseconds)),
                    ("refusals", .integer(Int64(record.refusals))), ("keys_lost", .integer(Int64(record.keysLost))),
                ])
            })
    }
}

extension HostRecord {
    /// Hardly a guest got a report, and none got two.
    fileprivate var isStarved: Bool { guests[0].guests.allSatisfy { $0.reports < 2 } }

    /// Of the SP's whole time, in hundredths.
    fileprivate var guestShare: Double { percent(device.guestService) }

    fileprivate var launchesPerSecond: Double {
        let ended = launches.flatMap(\.boots).count { boot in boot.ended.map { began <= $0 && $0 < self.ended } ?? false
        }
        return Double(ended) / length.seconds
    }
}
