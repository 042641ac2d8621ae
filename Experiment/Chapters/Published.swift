import Arbiter
import Reporting
import SPModel
import Simulation

/// Does the model meet what was measured on real hosts?
struct Published: Chapter {
    var cells: [Cell] {
        Slope.microvm.cells + Slope.firmware.cells + [Self.oneGuest, Self.cloud, Self.sixtyFour] + patch
    }

    private var patch: [Cell] {
        ([0, 128] + Self.patchNumbers).flatMap { BootLatency.cells(.limited, $0) }
            + [64, 128].flatMap { BootLatency.cells(.oneHertz, $0) }
    }

    func report(_ results: Results) -> ChapterReport {
        let fitted = fitted(results)
        let predicted = predicted(results)
        let failed = predicted.filter { !$0.holds }
        let exceptions = failed.isEmpty ? "" : ", and not: \(failed.map(\.what).joined(separator: "; "))"
        return ChapterReport(
            title: "Beside published measurements", text: text(fitted, predicted, results), key: "published",
            json: .object([("fitted", .list(fitted.map(\.json))), ("predicted", .list(predicted.map(\.json)))]),
            findings: [
                """
                Of \(predicted.count) published observations that the model was not fitted to, it meets \
                \(predicted.count - failed.count)\(exceptions).
                """
            ])
    }

    private func text(_ fitted: [Comparison], _ predicted: [Comparison], _ results: Results) -> String {
        let hertz = boot(.oneHertz, 64, results)
        return Markdown.joined([
            Markdown.paragraph(
                """
                Nothing here ran on SNP hardware, so the model is held against what others measured. What it was \
                *fitted* to shows only that the fit is one, and validates nothing:
                """),
            table(fitted),
            Markdown.paragraph(
                "What it *predicts* was not used to choose any of its figures, with the reservations named:"),
            table(predicted),
            Markdown.paragraph(
                """
                The kernel patch names its rate, not what its guests came to. They asked in a tight loop, and such a \
                guest behind that limit gets 0.49 reports a second: one report, one BUSY, one sleep of 2.046 s. Had \
                they come to 1/s each, a boot beside 64 would take \(hertz?.p50.cell ?? "–") here (p99 \
                \(hertz?.p99.cell ?? "–")), which is outside 220 ± 50 ms. So the patch's numbers speak for this \
                reading of them, or against this model.
                """),
        ])
    }

    private func table(_ comparisons: [Comparison]) -> String {
        var table = Table([
            .left("what"), .left("published"), .left("here"), .left("within"), .left(""), .left("source"),
        ])
        for comparison in comparisons { table.append(comparison.row) }
        return table.markdown
    }
}

/// One published figure, and ours.
struct Comparison: Sendable {
    let what: String
    let published: String
    let here: String
    /// What counts as meeting it.
    let within: String
    let holds: Bool
    let source: String

    var row: [String] { [what, published, here, within, holds ? "met" : "**not met**", source] }

    var json: JSON {
        .object([
            ("what", .text(what)), ("published", .text(published)), ("here", .text(here)), ("within", .text(within)),
            ("met", .bool(holds)), ("source", .text(source)),
        ])
    }
}
