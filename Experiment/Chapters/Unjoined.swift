import Arbiter
import Reporting
import SPModel
import Simulation

/// What do guests cost that never ask the scheduler?
struct Unjoined: Chapter {
    static let numbers = [0, 1, 2, 4, 8, 16]
    private static let joined = 64
    private static let chunks: [UInt32] = [32, 8]

    /// - Parameter chunk: pages in a launch turn; 32 is the default.
    static func cell(_ contender: Contender, _ number: Int, chunk: UInt32 = 32) -> Cell {
        var plan = HostPlan(policy: contender.policy, duration: .seconds(1_800), grace: .seconds(120))
        plan.configuration.chunkPages = chunk
        plan.guests = [contender.guests.group(of: joined)]
        if number > 0 { plan.guests.append(GuestGroup("unjoined", count: number, registration: nil)) }
        plan.launches = [LaunchGroup()]
        plan.recording.window = .seconds(10)
        return Cell("unjoined/\(contender.name)/\(chunk)/\(number)", plan)
    }

    var cells: [Cell] {
        Self.numbers.flatMap { number in
            Self.chunks.map { Self.cell(.spschedd, number, chunk: $0) } + [Self.cell(.mutex, number)]
        }
    }

    func report(_ results: Results) -> ChapterReport {
        ChapterReport(
            title: "Guests that never ask", text: text(results),
            pictures: [Picture(file: "unjoined.svg", chart: picture(results))], key: "unjoined", json: json(results),
            reservations: [
                """
                Each guest that does not join costs every launch a report a command: with one of them a boot takes \
                \(middle(32, 1, results).cell), with \(Self.numbers.last ?? 0) \
                \(middle(32, Self.numbers.last ?? 0, results).cell). No daemon in user space can prevent that. \
                From some twelve of them on a turn of 32 pages outlasts its lease besides, and joined guests come in.
                """
            ])
    }

    private static func commands(chunk: UInt32) -> Int {
        LaunchProfile.vmm64Pages.ioctls(chunkPages: chunk).reduce(0) { $0 + $1.count }
    }

    private func text(_ results: Results) -> String {
        let commands = Self.commands(chunk: 32)
        return Markdown.joined([
            Markdown.paragraph(
                """
                \(Self.joined) guests that joined, and k that did not (an older kernel, a VMM without the library, a \
                plain request), all in a tight loop. Those k meet the kernel's mutex directly, and each of a launch's \
                \(commands) commands may wait for one request of each of them. The dashed line is that sum: \
                \(commands) × k × 7.5 ms above the boot without them.
                """),
            Markdown.picture("unjoined.svg", "Boot latency against the number of guests that never ask"),
            table(results),
            Markdown.paragraph(
                """
                *Overdue* counts the turns of a launch that outlast their lease. It then passes to a joined guest \
                while the launch goes on in the kernel. 32 pages take 272 ms beside one such guest, and 4 × what was \
                planned and 50 ms are 178 ms; but joined guests' reports wait for that guest too, and leases reckon \
                with what they show ([decision 21]\
                (../decisions/0021-a-launchs-lease-allows-for-guests-that-never-ask.md)), up to three reports before \
                each command.
                """),
        ])
    }

    private func boots(_ contender: Contender, _ number: Int, chunk: UInt32, _ results: Results) -> Latencies {
        Latencies(results[Self.cell(contender, number, chunk: chunk)].boots(within: BootLatency.patience))
    }

    private func middle(_ chunk: UInt32, _ number: Int, _ results: Results) -> Nanoseconds {
        boots(.spschedd, number, chunk: chunk, results).quantile(perMille: 500)?.time ?? .zero
    }

    private func expected(_ number: Int, _ results: Results) -> Nanoseconds {
        middle(32, 0, results) + .microseconds(7_500) * Int64(number * Self.commands(chunk: 32))
    }

    private func table(_ results: Results) -> String {
        var table = Table(
            [.right("k"), .right("the sum"), .right("turns of 32 pages: p50"), .right("p99"), .right("overdue")]
                + [.right("joined reports/s"), .right("turns of 8 pages: p50"), .right("p99"), .right("overdue")]
                + [.right("joined reports/s"), .right("mutex: p50")])
        for number in Self.numbers {
            let mutex = boots(.mutex, number, chunk: 32, results).quantile(perMille: 500)
            table.append(
                ["\(number)", expected(number, results).cell]
                    + Self.chunks.flatMap { figures(number, chunk: $0, results) } + [mutex?.cell ?? "–"])
        }
        return table.markdown
    }

    private func figures(_ number: Int, chunk: UInt32, _ results: Results) -> [String] {
        let record = results[Self.cell(.spschedd, number, chunk: chunk)]
        let boots = boots(.spschedd, number, chunk: chunk, results)
        let overdue = Double(record.device.revoked) / Double(max(boots.count, 1))
        return [500, 990].map { boots.quantile(perMille: $0)?.cell ?? "–" } + [
            Format.fixed(overdue, 1), Format.fixed(Double(record.guests[0].reports) / record.length.seconds, 1),
        ]
    }

    private func picture(_ results: Results) -> SVG {
        func line(_ chunk: UInt32) -> [LineChart.Point] {
            Self.numbers.map { .init(Double($0), middle(chunk, $0, results).seconds) }
        }
        let sum = Self.numbers.map { LineChart.Point(Double($0), expected($0, results).seconds) }
        let lines = [
            LineChart.Series("the sum", .grey, isDashed: true, hasMarkers: false, points: sum),
            LineChart.Series("spschedd", note: "turns of 8 pages", .green, points: line(8)),
            LineChart.Series("spschedd", note: "turns of 32 pages", .blue, points: line(32)),
        ]
        return LineChart(
            "Boot latency under spschedd against the number of guests that never ask",
            x: .linear("guests that never ask (k), beside \(Self.joined) that do", to: 16),
            y: .linear(
                "time from the first command to the running VM (p50), s",
                to: lines.flatMap(\.points).map(\.y).max() ?? 1), series: lines
        ).svg
    }

    private func json(_ results: Results) -> JSON {
        let played = Self.chunks.map { (Contender.spschedd, $0) } + [(.mutex, 32)]
        return .list(
            played.flatMap { contender, chunk in
                Self.numbers.map { number in
                    let boot = LatencyStatistics(boots(contender, number, chunk: chunk, results))
                    let revoked = results[Self.cell(contender, number, chunk: chunk)].device.revoked
                    return .object([
                        ("policy", .text(contender.name)), ("chunk_pages", .integer(Int64(chunk))),
                        ("unjoined", .integer(Int64(number))), ("boot_us", .optional(boot, \.json)),
                        ("turns_overdue", .integer(Int64(revoked))),
                    ])
                }
            })
    }
}
