/// The report: one HTML file that needs nothing else, for light and dark screens.
struct HTMLReport {
    private let outcome: ShowOutcome

    init(_ outcome: ShowOutcome) { self.outcome = outcome }

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>spschedd: launches and attestations on one Secure Processor</title>
        <style>
        \(ReportStyle.css)
        </style>
        </head>
        <body>
        <main>
        <h1>One Secure Processor, \(antagonists) VMs</h1>
        <p class="lead">\(HTML.escaped(conclusion.sentences.joined(separator: " ")))</p>
        \(sections.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private var conclusion: Conclusion { Conclusion(outcome.results) }
    private var antagonists: Int { outcome.results.runs.map(\.antagonists).max() ?? 0 }

    private var sections: [String] {
        [bootSection, timelineSection, tableSection, budgetSection, notesSection].compactMap(\.self)
    }

    private var bootSection: String? {
        BootPlot(outcome.results.runs).map { plot in
            section(
                "How long a VM takes to boot",
                """
                The dot is the middle launch (p50), the line above it reaches to p99; the scale is logarithmic. An \
                open dot with an arrow is a launch that was still under way when its time was over: its true latency \
                lies beyond.
                """, plot.markup)
        }
    }

    private var timelineSection: String? {
        TimelinePlot(outcome.records).map { plot in
            section(
                "Who held the Secure Processor around one launch",
                """
                One launch of each policy against \(antagonists) VMs. In colour: commands of the launch. Grey: reports \
                of the other VMs. Without arbitration, reports come between any two pages of a launch; spschedd keeps \
                the pages together, and lets guests in before and after them.
                """, plot.markup)
        }
    }

    private var tableSection: String? {
        let rows = outcome.results.runs.map { run in
            let cells =
                [run.boot?.p50.text, run.boot?.p99.text, run.boot?.max.text, "\(run.launches)"]
                + [run.reportsPerSecond.map { Format.fixed($0, 1) }, run.jain.map { Format.fixed($0, 3) }]
                + ["\(run.refusals)", "\(run.lostKeys)", "\(Format.fixed(run.utilisation * 100, 0)) %"]
            return "<tr><th scope=\"row\" class=\"\(run.policy.rawValue)\">\(run.policy.rawValue)</th>"
                + "<td>\(run.antagonists)</td>"
                + cells.map { "<td>\(HTML.escaped($0 ?? "–"))</td>" }.joined() + "</tr>"
        }
        let headings = [
            "Policy", "VMs attesting", "Boot p50", "p99", "max", "Launches", "Reports/s between launches",
            "Fairness (Jain)", "Refusals", "Lost VMPCKs", "SP busy",
        ]
        return section(
            "The numbers",
            """
            Reports between launches are counted while no launch had commands under way; a dash means that a launch \
            filled the whole time. Fairness is Jain's index over the reports of the attesting VMs: 1 means that all \
            got the same. A VMPCK is lost when a guest is refused for 60 s; that must never happen.
            """,
            """
            <div class="scroll"><table>
            <thead><tr>\(headings.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div>
            """)
    }

    private var budgetSection: String? {
        BudgetPlot(outcome.results.budget).map { plot in
            section(
                "The budget at work",
                """
                All of these VMs at once, while one VM is launched each second. Pale: what exact water-filling of all \
                the reports that the Secure Processor delivered gives each VM, after reservations and within limits. \
                Solid: what it got, in reports a second.
                """, plot.markup)
        }
    }

    private var notesSection: String? {
        let plan = outcome.plan
        let launches = plan.hasLaunches ? "launch profile \(plan.profile.name)" : "no launches"
        return section(
            "What these numbers rest on", Conclusion.modelled,
            """
            <p>\(HTML.escaped(Conclusion.scope))</p>
            <p>Played with \(launches), \(Format.fixed(plan.slot.seconds, 0)) s for each policy and number of VMs \
            after the warm-up, seed \(plan.seed).</p>
            """)
    }

    private func section(_ title: String, _ text: String, _ content: String) -> String {
        """
        <section>
        <h2>\(HTML.escaped(title))</h2>
        <p>\(HTML.escaped(text))</p>
        \(content)
        </section>
        """
    }
}
