import Reporting

/// The report: one HTML file that needs nothing else, for light and dark screens.
struct HTMLReport {
    private let outcome: ShowOutcome

    init(_ outcome: ShowOutcome) { self.outcome = outcome }

    var html: String {
        HTMLPage(
            title: "spschedd: launches and attestations on one Secure Processor",
            heading: "One Secure Processor, \(antagonists) VMs", lead: conclusion.sentences.joined(separator: " "),
            sections: [bootSection, timelineSection, tableSection, budgetSection, notesSection].compactMap(\.self)
        ).html
    }

    private var conclusion: Conclusion { Conclusion(outcome.results) }
    private var antagonists: Int { outcome.results.runs.map(\.antagonists).max() ?? 0 }

    private var bootSection: HTMLPage.Section? {
        BootPlot(outcome.results.runs).map { plot in
            HTMLPage.Section(
                "How long a VM takes to boot",
                """
                The dot is the middle launch (p50), the line above it reaches to p99; the scale is logarithmic. An \
                open dot with an arrow is a launch that was still under way when its time was over: its true latency \
                lies beyond.
                """, plot.markup)
        }
    }

    private var timelineSection: HTMLPage.Section? {
        TimelinePlot(outcome.records).map { plot in
            HTMLPage.Section(
                "Who held the Secure Processor around one launch",
                """
                One launch of each policy against \(antagonists) VMs. In colour: commands of the launch. Grey: reports \
                of the other VMs. Without arbitration, reports come between any two pages of a launch; spschedd keeps \
                the pages together, and lets guests in before and after them.
                """, plot.markup)
        }
    }

    private var tableSection: HTMLPage.Section? {
        var table = Table([
            .left("Policy"), .right("VMs attesting"), .right("Boot p50"), .right("p99"), .right("max"),
            .right("Launches"), .right("Reports/s between launches"), .right("Fairness (Jain)"), .right("Refusals"),
            .right("Lost VMPCKs"), .right("SP busy"),
        ])
        let runs = outcome.results.runs
        for run in runs {
            table.append([
                run.policy.rawValue, "\(run.antagonists)", run.boot?.p50.text ?? "–", run.boot?.p99.text ?? "–",
                run.boot?.max.text ?? "–", "\(run.launches)",
                run.reportsPerSecond.map { Format.fixed($0, 1) } ?? "–", run.jain.map { Format.fixed($0, 3) } ?? "–",
                "\(run.refusals)", "\(run.lostKeys)", "\(Format.fixed(run.utilisation * 100, 0)) %",
            ])
        }
        return HTMLPage.Section(
            "The numbers",
            """
            Reports between launches are counted while no launch had commands under way; a dash means that a launch \
            filled the whole time. Fairness is Jain's index over the reports of the attesting VMs: 1 means that all \
            got the same. A VMPCK is lost when a guest is refused for 60 s; that must never happen.
            """, table.html { runs[$0].policy.hue.rawValue })
    }

    private var budgetSection: HTMLPage.Section? {
        BudgetPlot(outcome.results.budget).map { plot in
            HTMLPage.Section(
                "The budget at work",
                """
                All of these VMs at once, while one VM is launched each second. Pale: what exact water-filling of all \
                the reports that the Secure Processor delivered gives each VM, after reservations and within limits. \
                Solid: what it got, in reports a second.
                """, plot.markup)
        }
    }

    private var notesSection: HTMLPage.Section? {
        let plan = outcome.plan
        let launches = plan.hasLaunches ? "launch profile \(plan.profile.name)" : "no launches"
        return HTMLPage.Section(
            "What these numbers rest on", Conclusion.modelled,
            """
            <p>\(HTML.escaped(Conclusion.scope))</p>
            <p>Played with \(launches), \(Format.fixed(plan.slot.seconds, 0)) s for each policy and number of VMs \
            after the warm-up, seed \(plan.seed).</p>
            """)
    }
}
