import Arbiter
import Reporting
import Simulation

/// Where does the SP's time go, and is it ever idle while somebody may have it? Read off the boot cells.
struct Utilisation: Chapter {
    private static let numbers = [16, 64, 256]

    var cells: [Cell] { BootLatency().cells }

    func report(_ results: Results) -> ChapterReport {
        let scheduled = BootLatency.contenders.filter { !$0.isUnscheduled }
        let idle = scheduled.flatMap { contender in
            BootLatency.numbers.map { results[BootLatency.cells(contender, $0)].sum(\.idleWhileEligible) }
        }
        let worst = idle.max() ?? .zero
        return ChapterReport(
            title: "Where the SP's time goes",
            text: Markdown.joined([
                Markdown.paragraph(
                    """
                    In hundredths of the time, with one launch after another. *Idle in holds* is what the hold costs: \
                    the SP is kept for a launch's next command while something eligible waits. *Idle while eligible* \
                    is the same outside holds, in all cells of the policy at every N; promise P4 says that there is \
                    none. Kernels without turns have neither.
                    """),
                table(results),
            ]), key: "utilisation",
            json: .object([("most_idle_while_eligible_ns", .integer(worst.count))]),
            findings: [
                """
                Outside holds the SP was never idle while anything eligible waited: \(worst.count) ns in \
                \(idle.count) cells.
                """
            ])
    }

    private func table(_ results: Results) -> String {
        var table = Table(
            [.left("policy"), .right("N"), .right("busy"), .right("launches"), .right("reports")]
                + [.right("idle in holds"), .right("idle while eligible"), .right("reports/s")])
        for contender in BootLatency.contenders {
            for number in Self.numbers { table.append(row(contender, number, results)) }
        }
        return table.markdown
    }

    private func row(_ contender: Contender, _ number: Int, _ results: Results) -> [String] {
        let pool = results[BootLatency.cells(contender, number)]
        func percent(_ part: KeyPath<DeviceRecord, Nanoseconds>) -> String {
            "\(Format.fixed(pool.percent(part), 1)) %"
        }
        let turns =
            contender.isUnscheduled
            ? ["–", "–"] : [percent(\.idleInHolds), "\(pool.sum(\.idleWhileEligible).count) ns"]
        return ["`\(contender.name)`", "\(number)", percent(\.busy), percent(\.launchService)]
            + [percent(\.guestService)] + turns + [Format.fixed(pool.reportsPerSecond, 1)]
    }
}
