import Reporting

/// `README.md`, `tables.md`, `results.json` and the pictures.
struct Page {
    private let reports: [ChapterReport]

    init(_ reports: [ChapterReport]) { self.reports = reports }

    /// By name, in order.
    var files: [(name: String, text: String)] {
        [("README.md", readme), ("tables.md", tables), ("results.json", json)]
            + pictures
    }

    var pictures: [(name: String, text: String)] {
        reports.flatMap(\.pictures).map { ($0.file, $0.chart.file) }
    }

    private var readme: String {
        Markdown.joined(
            [
                "# The experiment", Self.question,
                "## What was found", Markdown.bullets(reports.flatMap(\.findings)),
                "### What speaks against it", Markdown.bullets(reports.flatMap(\.reservations)),
            ] + reports.map(\.markdown) + [Self.basis, Self.again]) + "\n"
    }

    private var tables: String {
        let head = Markdown.paragraph(
            "Tables that are too long for [the page](README.md). Written by `make experiment`, like everything here.")
        return Markdown.joined(["# Tables", head] + reports.flatMap(\.appendix)) + "\n"
    }

    private var json: String { JSON.object(reports.map { ($0.key, $0.json) }).text + "\n" }
}

extension ChapterReport {
    var markdown: String { Markdown.joined(["## \(title)", text]) }
}
