/// The table for people.
extension Results {
    var table: String {
        let headings = ["figure", "median", "min..max", "unit", "mark", "aim", "met"]
        let rows = [headings] + entries.map(\.cells)
        let widths = headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.enumerated().map { index, cells in
            let row = zip(cells, widths).enumerated().map { column, cell in
                column == 1 ? cell.0.paddedLeft(to: cell.1) : cell.0.paddedRight(to: cell.1)
            }.joined(separator: "  ")
            return index == 0 ? row : row + "  " + entries[index - 1].metric.meaning
        }
        return (lines + [""] + [machine.sentence] + notes).joined(separator: "\n")
    }
}

extension Results.Entry {
    fileprivate var cells: [String] {
        [
            metric.key, median.short, "\((samples.min() ?? 0).short)..\((samples.max() ?? 0).short)", metric.unit,
            metric.goal.map { "\($0.sign) \($0.mark.short)" } ?? "",
            metric.goal?.aim.map { $0.short } ?? "", verdict,
        ]
    }

    private var verdict: String {
        guard let goal = metric.goal else { return "" }
        return goal.isAimMet(by: median) ? "aim" : goal.isMet(by: median) ? "mark" : "MISSED"
    }
}

extension Double {
    /// Three digits that count, more for whole numbers: 1.25, 12.5, 125, 43120.
    var short: String {
        let places = magnitude >= 99.95 || self == 0 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.01 ? 2 : 5
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let parts = Int64((self * scale).rounded())
        guard places > 0 else { return "\(parts)" }
        let fraction = "\(parts.magnitude % UInt64(scale))"
        let zeros = String(repeating: "0", count: places - fraction.count)
        return "\(parts < 0 ? "-" : "")\(parts.magnitude / UInt64(scale)).\(zeros)\(fraction)"
    }
}

extension String {
    fileprivate func paddedRight(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
    fileprivate func paddedLeft(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
