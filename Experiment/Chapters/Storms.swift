import Arbiter
import Reporting
import SPModel
import Simulation

/// What happens when n VMs are launched at once?
struct Storms: Chapter {
    private static let sizes = [1, 2, 5, 10, 20, 30, 40, 50]
    private static let storms: Int64 = 20

    /// In which order launches that are open at once are served.
    private struct Order {
        let name: String
        let policy: HostPolicy
        var order = LaunchOrder.firstComeFirstServed
        let hue: Hue
    }

    private static let roundRobin = Order(name: "round-robin (mutex)", policy: .mutex, hue: .orange)
    private static let firstCome = Order(name: "first come", policy: .spschedd, hue: .blue)
    private static let shortest = Order(
        name: "shortest first", policy: .spschedd, order: .shortestFirst, hue: .green)
    private static let orders = [roundRobin, firstCome, shortest]

    private enum Mix: String, CaseIterable {
        /// VMs of 64 pages.
        case equal
        /// Of five VMs, two of 21 pages, two of 64, and one with 1 MiB of firmware, in this order: 64, 21, firmware,
        /// 64, 21.
        case mixed

        func profile(_ index: Int) -> LaunchProfile {
            switch self {
            case .equal: .vmm64Pages
            case .mixed: [.vmm64Pages, .microvm, .ovmf1MiB, .vmm64Pages, .microvm][index % 5]
            }
        }
    }

    private static func cell(_ order: Order, _ mix: Mix, _ size: Int, guests: Int) -> Cell {
        // Each storm is long over when the next begins.
        let every: Nanoseconds = guests > 0 ? .seconds(240) : .seconds(30)
        var plan = HostPlan(policy: order.policy, duration: every * storms, grace: .zero)
        plan.configuration.launchOrder = order.order
        if guests > 0 { plan.guests = [Antagonist.loop.group(of: guests)] }
        plan.launches = (0..<size).map { index in
            LaunchGroup("\(index)", profile: mix.profile(index), pattern: .storm(of: 1, every: every))
        }
        return Cell("storm/\(mix.rawValue)/\(order.name)/\(size)/\(guests)", plan)
    }

    /// Equal launches without guests under the mutex: what is played soonest.
    static func smallest(size: Int) -> Cell { cell(roundRobin, .equal, size, guests: 0) }

    /// At which numbers of guests each mix is played.
    private static let plays: [(mix: Mix, guests: Int)] = [(.equal, 0), (.equal, 64), (.mixed, 0)]

    var cells: [Cell] {
        Self.plays.flatMap { play in
            Self.orders.flatMap { order in
                Self.sizes.map { Self.cell(order, play.mix, $0, guests: play.guests) }
            }
        }
    }

    func report(_ results: Results) -> ChapterReport {
        let (mutex, ours) = (figures(Self.roundRobin, .equal, results), figures(Self.firstCome, .equal, results))
        let ratios = (mean: ours.mean / mutex.mean, worst: ours.worst / mutex.worst)
        let mixed = Self.orders.map { figures($0, .mixed, results).mean }
        return ChapterReport(
            title: "Launch storms", text: text(results),
            pictures: [
                Picture(file: "storm-equal.svg", chart: picture(.equal, results)),
                Picture(file: "storm-mixed.svg", chart: picture(.mixed, results)),
            ], key: "storms", json: json(results),
            findings: [
                """
                50 equal launches at once: first come, first served takes \(Format.fixed(ratios.mean, 2)) × the mean \
                of the mutex's round-robin (the aim is 0.60) and \(Format.fixed(ratios.worst, 3)) × its slowest (1.06).
                """
            ],
            reservations: [
                """
                Where launches at once are unequal, first come, first served is worse on average than round-robin: \
                \(Format.fixed(mixed[1] / mixed[0], 2)) × its mean for 50 mixed ones. `shortest-first` brings \
                \(Format.fixed(mixed[2] / mixed[0], 2)) ×, and is not the default.
                """
            ])
    }

    private func figures(_ order: Order, _ mix: Mix, _ results: Results) -> Storm {
        Storm(results[Self.cell(order, mix, Self.sizes.last ?? 1, guests: 0)])
    }

    private func text(_ results: Results) -> String {
        Markdown.joined([
            Markdown.paragraph(
                """
                n VMs are launched at the same instant, \(Self.storms) times. The mutex is fair for each page, which \
                makes it round-robin between launches: all of them are done late. Solid lines are the mean of all \
                launches, dashed ones the slowest of each storm (mean over the storms). All VMs have 64 pages; no \
                guest attests.
                """),
            Markdown.picture("storm-equal.svg", "Mean and slowest launch of a storm of equal VMs"),
            table(.equal, 0, results),
            Markdown.paragraph("The same beside 64 guests in a tight loop:"),
            table(.equal, 64, results),
            Markdown.paragraph(
                """
                Unequal launches: of five VMs two have 21 pages, two 64, and one 1 MiB of firmware (556 ms). \
                Now round-robin has a virtue: small launches slip past large ones, and first come, first served makes \
                them wait. *Shortest first* (`arbiter.launch_order`) has the best mean that any order can have, at the \
                cost of the large ones while small ones keep coming.
                """),
            Markdown.picture("storm-mixed.svg", "Mean and slowest launch of a storm of unequal VMs"),
            table(.mixed, 0, results),
        ])
    }

    private func table(_ mix: Mix, _ guests: Int, _ results: Results) -> String {
        var table = Table(
            [.right("n")] + Self.orders.flatMap { [.right("\($0.name): mean"), .right("slowest")] }
                + [.right("mean, first come ÷ round-robin"), .right("slowest")])
        for size in Self.sizes {
            let storms = Self.orders.map { Storm(results[Self.cell($0, mix, size, guests: guests)]) }
            table.append(
                ["\(size)"]
                    + storms.flatMap { [$0.meanTime.cell, $0.worstTime.cell] } + [
                        Format.fixed(storms[1].mean / storms[0].mean, 2),
                        Format.fixed(storms[1].worst / storms[0].worst, 2),
                    ])
        }
        return table.markdown
    }

    private func picture(_ mix: Mix, _ results: Results) -> SVG {
        let shown = mix == .equal ? [Self.roundRobin, Self.firstCome] : Self.orders
        let lines = shown.flatMap { order in
            let storms = Self.sizes.map { (Double($0), Storm(results[Self.cell(order, mix, $0, guests: 0)])) }
            return [
                LineChart.Series(
                    "\(order.name)", note: "mean", order.hue, points: storms.map { .init($0.0, $0.1.mean) }),
                LineChart.Series(
                    "\(order.name)", note: "slowest", order.hue, isDashed: true, hasMarkers: false,
                    points: storms.map { .init($0.0, $0.1.worst) }),
            ]
        }
        return LineChart(
            "Mean and slowest launch of a storm against its size, by order",
            x: .linear("VMs launched at once (n)", to: 50),
            y: .linear(
                "time from the first command to the running VM, s", to: lines.flatMap(\.points).map(\.y).max() ?? 1),
            series: lines, room: 200
        ).svg
    }

    private func json(_ results: Results) -> JSON {
        .list(
            Self.plays.flatMap { play in
                Self.orders.flatMap { order in
                    Self.sizes.map { size in
                        let storm = Storm(results[Self.cell(order, play.mix, size, guests: play.guests)])
                        return .object([
                            ("order", .text(order.name)), ("launches", .text(play.mix.rawValue)),
                            ("guests", .integer(Int64(play.guests))), ("n", .integer(Int64(size))),
                            ("mean_us", storm.meanTime.microseconds), ("slowest_us", storm.worstTime.microseconds),
                        ])
                    }
                }
            })
    }
}

/// What the launches of some storms came to.
private struct Storm {
    let meanTime: Nanoseconds
    /// The slowest of each storm, on average.
    let worstTime: Nanoseconds

    /// Launches of one storm were requested at the same instant.
    init(_ record: HostRecord) {
        var storms: [Instant: [Nanoseconds]] = [:]
        for boot in record.launches.flatMap(\.boots) { storms[boot.requested, default: []].append(boot.latency) }
        let all = storms.values.flatMap { $0 }
        meanTime = all.reduce(.zero, +) / Int64(max(all.count, 1))
        worstTime = storms.values.compactMap { $0.max() }.reduce(.zero, +) / Int64(max(storms.count, 1))
    }

    var mean: Double { meanTime.seconds }
    var worst: Double { worstTime.seconds }
}
