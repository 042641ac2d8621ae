import Reporting

/// One question: the cells that answer it, and the answer.
protocol Chapter: Sendable {
    /// Those that this chapter plays. What another one plays as well has the same name there, and is played once.
    var cells: [Cell] { get }

    func report(_ results: Results) -> ChapterReport
}

/// What a chapter found.
struct ChapterReport: Sendable {
    let title: String
    /// Markdown, without the title.
    let text: String
    var pictures: [Picture] = []
    /// Tables too long for the page.
    var appendix: [String] = []
    /// The key in `results.json`, and what it holds.
    let key: String
    let json: JSON
    /// For the beginning of the page: what was found, and what of it speaks against the scheduler or limits it.
    var findings: [String] = []
    var reservations: [String] = []
}

struct Picture: Sendable {
    let file: String
    let chart: SVG
}
