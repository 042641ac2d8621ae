import Arbiter
import CapacityPlanning
import Reporting
import Simulation

/// The answer as a page with plots.
struct PlanReport {
    private let plan: PlanResult
    private let answers: FleetAnswers

    init(_ plan: PlanResult) {
        self.plan = plan
        answers = plan.answers
    }

    var html: String {
        HTMLPage(
            title: "spschedctl plan \(plan.file)",
            heading: "A fleet of \(Format.grouped(Int(answers.fleet.virtualMachines))) VMs",
            lead: plan.verdict.split(separator: "\n").joined(separator: " "), sections: sections
        ).html
    }

    private var sections: [HTMLPage.Section] {
        var sections = [admission, settings]
        if answers.played.virtualMachines > 0 { sections.append(worstCase) }
        if let simulated = plan.simulated { sections += self.simulated(simulated) }
        if !plan.warnings.isEmpty {
            sections.append(.init("Attention", plan.warnings.joined(separator: " "), ""))
        }
        return sections
    }

    // MARK: Without playing

    private var admission: HTMLPage.Section {
        .init(
            "Admission",
            "The daemon's own rules were asked, VM by VM, in the file's order. \"Room for\" is how many VMs more of a"
                + " group would be admitted beside the fleet; \"in full\", how many with the reservation they want. "
                + plan.largest,
            plan.admissionTable.html())
    }

    private var settings: HTMLPage.Section {
        let rows = answers.admission.uses.map { use in
            BarChart.Row(
                use.key, [.init(min(use.part, 1), use.part > 1 ? .red : .blue), .init(1, .grey, isPale: true)],
                note: "\(use.used.text) of \(use.limit.text)")
        }
        return .init(
            "What binds", "How much of each setting the fleet uses: the longest bar is the one that binds first.",
            BarChart("How much of each setting is used", rows: rows, titles: 230, notes: 150).svg.markup)
    }

    private var worstCase: HTMLPage.Section {
        let storm = plan.stormSentence.map { " \($0)" } ?? ""
        return .init(
            "Worst case",
            "By the promises' formulas"
                + (answers.isScaled ? ", for the largest fleet of this shape that is admitted" : "") + "."
                + " Launch: from the first command of a launch that is first in line to its last (P1), which does not"
                + " depend on the number of VMs. Reserved wait: of a request inside its reservation (P6). Frozen: how"
                + " long one attempt may keep its guest's CPU waiting (P7). \(plan.turnsSentence)\(storm)",
            plan.worstTable.html())
    }

    // MARK: Played

    private func simulated(_ simulated: SimulatedFleet) -> [HTMLPage.Section] {
        var sections = [
            HTMLPage.Section(
                "Reports",
                ([plan.simulatedHeading(simulated) + ".", plan.deviceSentence(simulated)]
                    + [plan.awaySentence(simulated)].compactMap(\.self)).joined(separator: " "),
                plan.simulatedTable(simulated).html())
        ]
        if let table = plan.launchTable(simulated) {
            sections.append(
                .init(
                    "Boots",
                    "From the request to the running VM; those that had to wait in line for other launches took longer.",
                    table.html() + "\n" + bootChart(simulated).svg.markup))
        }
        if simulated.groups.contains(where: { $0.latency.count > 0 }) {
            sections.append(
                .init(
                    "Report latency",
                    "How many of each group's reports were there within a time, from the first attempt on; sleeps"
                        + " after refusals are in it.",
                    latencyChart(simulated).svg.markup))
            sections.append(
                .init(
                    "Reports over time", "Reports a second of each group, all of its VMs together.",
                    rateChart(simulated).svg.markup))
        }
        return sections
    }

    private func hue(_ index: Int) -> Hue { Hue.allCases[index % Hue.allCases.count] }

    private func bootChart(_ simulated: SimulatedFleet) -> LineChart {
        var (series, times): ([LineChart.Series], [Nanoseconds]) = ([], [])
        for (index, group) in simulated.groups.enumerated() {
            guard let boots = group.launches?.boots, let longest = boots.sorted.last else { continue }
            let points = boots.distribution(steps: PlotLimits.points)
            series.append(curve(group.name, hue(index), points.map { ($0.time, $0.perMille) }))
            times += [boots.sorted[0].time, longest.time]
        }
        return LineChart(
            "Distribution of boot latency", x: .times("boot latency", holding: times), y: Self.perCent, series: series)
    }

    private func latencyChart(_ simulated: SimulatedFleet) -> LineChart {
        var (series, times): ([LineChart.Series], [Nanoseconds]) = ([], [])
        for (index, group) in (simulated.groups + simulated.unjoined).enumerated() where group.latency.count > 0 {
            let points = distribution(of: group.latency)
            series.append(curve(group.name, hue(index), points))
            times += [points[0].0, points[points.count - 1].0]
        }
        return LineChart(
            "Distribution of report latency", x: .times("report latency", holding: times), y: Self.perCent,
            series: series)
    }

    private func distribution(of latency: LatencyHistogram) -> [(Nanoseconds, Double)] {
        var below: UInt64 = 0
        return latency.steps.map { step in
            below += step.count
            return (min(step.upTo, latency.longest), Double(below) * 1_000 / Double(latency.count))
        }
    }

    private func curve(_ name: String, _ hue: Hue, _ points: [(Nanoseconds, Double)]) -> LineChart.Series {
        LineChart.Series(
            name, hue, hasMarkers: false, isStepped: true,
            points: points.map { LineChart.Point($0.0.milliseconds, $0.1 / 10) })
    }

    private static let perCent = Axis.linear("within that time, %", to: 100)

    private func rateChart(_ simulated: SimulatedFleet) -> LineChart {
        let window = simulated.window.seconds
        let groups = (simulated.groups + simulated.unjoined).filter { $0.latency.count > 0 }
        let series = groups.enumerated().map { index, group in
            LineChart.Series(
                group.name, hue(index), hasMarkers: false,
                points: group.reportsInWindows.enumerated().map { place, reports in
                    LineChart.Point((Double(place) + 0.5) * window, Double(reports) / window)
                })
        }
        let most = series.flatMap(\.points).map(\.y).max() ?? 1
        return LineChart(
            "Reports over time", x: .linear("seconds", to: simulated.length.seconds),
            y: .linear("reports/s", to: max(most, 1)), series: series)
    }
}

enum PlotLimits {
    /// More points than a picture has room for.
    static let points = 400
}
