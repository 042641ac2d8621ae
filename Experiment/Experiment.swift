/// The experiment: all chapters in the page's order.
enum Experiment {
    static let chapters: [(name: String, chapter: any Chapter)] = [
        ("boot", BootLatency()), ("ablation", Ablation()), ("utilisation", Utilisation()), ("guests", GuestService()),
        ("storms", Storms()),
        ("floor", Floor()), ("unjoined", Unjoined()), ("sensitivity", Sensitivity()), ("bound", Bound()),
        ("published", Published()),
    ]

    /// Each cell once, those of the first chapter that has it. The order decides nothing but who waits for whom.
    static func cells(of chapters: [any Chapter]) -> [Cell] {
        var seen: Set<String> = []
        return chapters.flatMap(\.cells).filter { seen.insert($0.name).inserted }
    }

    /// - Parameters:
    ///   - jobs: how many cells are played at a time.
    ///   - ended: called for each cell that is done, with how many are, and how many there are.
    static func play(
        _ chapters: [any Chapter], jobs: Int, ended: (Cell, Int, Int) -> Void = { _, _, _ in }
    ) async throws -> [ChapterReport] {
        let cells = cells(of: chapters)
        let results = try await Runner(cells: cells, jobs: jobs).play { ended($0, $1, cells.count) }
        return chapters.map { $0.report(results) }
    }
}
