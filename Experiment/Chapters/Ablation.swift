import Arbiter
import Reporting
import Simulation

/// What is each part of the scheduler good for?
struct Ablation: Chapter {
    private static let numbers = [0, 1, 4, 16, 64, 256, 1_024]
    private static let contenders: [Contender] = [.priority, .hold, .floor, .spschedd]

    /// A VMM that issues an ioctl for each page, as cloud-hypervisor does: 65 pauses instead of 3.
    private static func cells(pageByPage contender: Contender, _ number: Int) -> [Cell] {
        BootLatency.cells(contender, number).map { cell in
            var plan = cell.plan
            plan.launches = [LaunchGroup(style: .pages(1))]
            return Cell("page-by-page/\(cell.name)", plan)
        }
    }

    var cells: [Cell] {
        Self.contenders.flatMap { contender in
            Self.numbers.flatMap {
                BootLatency.cells(contender, $0) + Self.cells(pageByPage: contender, $0)
            }
        }
    }

    func report(_ results: Results) -> ChapterReport {
        let most = Self.numbers.last ?? 0
        let (without, with) = (Self.boot(.priority, most, results), Self.boot(.spschedd, most, results))
        return ChapterReport(
            title: "What each part of the scheduler does", text: text(results),
            pictures: [Picture(file: "boot-ablation.svg", chart: picture(results))], key: "ablation",
            json: json(results),
            findings: [
                """
                Priority for launches alone brings most of this where a launch has few pauses. Where a VMM measures \
                page by page it does not: \(without.p50.cell) beside \(Format.grouped(most)) VMs, \
                \(with.p50.cell) with the hold.
                """
            ])
    }

    private func text(_ results: Results) -> String {
        Markdown.joined([
            Markdown.paragraph(
                """
                Launches under strict priority alone, with the hold, with the floor as well, and under all of \
                `spschedd`. Strict priority lets one report into every pause of a launch, whatever N is; the hold \
                keeps the SP for the launch's next command. How much that is worth depends on the pauses: a VMM that \
                measures in turns of 32 pages makes 3, one that issues an ioctl for each page makes 65 (the picture \
                and the table's right half). The floor costs a single launch nothing, for it is deferred; what it is \
                for [stands below](#the-floor). The rest of `spschedd` decides which guest is next, and whom to refuse.
                """),
            Markdown.picture(
                "boot-ablation.svg", "Boot latency of a VM measured page by page, by parts of the scheduler"),
            table(results),
        ])
    }

    private static func boot(_ contender: Contender, _ number: Int, _ results: Results) -> LatencyStatistics {
        statistics(cells(pageByPage: contender, number), results)
    }

    private static func statistics(_ cells: [Cell], _ results: Results) -> LatencyStatistics {
        guard let boot = LatencyStatistics(results[cells].boots(within: BootLatency.patience)) else {
            preconditionFailure("\(cells[0].name): nothing was launched")
        }
        return boot
    }

    private func table(_ results: Results) -> String {
        let names = Self.contenders.map { Table.Column.right("`\($0.name)`") }
        var table = Table(
            [.left("p50 (p99), N =")] + names + [.right("page by page: \(names[0].heading)")] + names.dropFirst())
        for number in Self.numbers {
            let usual = Self.contenders.map { Self.statistics(BootLatency.cells($0, number), results) }
            let paged = Self.contenders.map { Self.boot($0, number, results) }
            table.append(
                [Format.grouped(number)] + (usual + paged).map { "\($0.p50.cell) (\($0.p99.cell))" })
        }
        return table.markdown
    }

    private func picture(_ results: Results) -> SVG {
        let lines = Self.contenders.map { contender in
            let boots = Self.numbers.map { ($0, Self.boot(contender, $0, results)) }
            return LineChart.Series(
                contender.name, note: boots.last?.1.p50.cell, contender.hue,
                points: boots.map { number, boot in
                    .init(Double(number), boot.p50.time.milliseconds, tail: boot.p99.time.milliseconds)
                })
        }
        return LineChart(
            "Boot latency of a VM measured page by page, under strict priority, with the hold, with the floor, and spschedd",
            x: .doublings("VMs that attest (N)", of: Self.numbers),
            y: .linear(
                "time from the first command to the running VM, measured page by page",
                to: lines.flatMap(\.points).map { $0.tail ?? $0.y }.max() ?? 1
            ) { "\(Format.fixed($0, 0)) ms" }, series: lines
        ).svg
    }

    private func json(_ results: Results) -> JSON {
        .list(
            Self.contenders.flatMap { contender in
                Self.numbers.map { number in
                    .object([
                        ("policy", .text(contender.name)), ("vms", .integer(Int64(number))),
                        ("page_by_page_boot_us", Self.boot(contender, number, results).json),
                    ])
                }
            })
    }
}
