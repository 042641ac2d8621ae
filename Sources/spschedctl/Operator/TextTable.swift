/// A table for people: a line of headings, and columns as wide as their widest cell.
struct TextTable {
    struct Column {
        enum Alignment { case left, right }

        let heading: String
        let alignment: Alignment

        static func left(_ heading: String) -> Column { Column(heading: heading, alignment: .left) }
        static func right(_ heading: String) -> Column { Column(heading: heading, alignment: .right) }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells)
    }

    var text: String {
        let widths = columns.indices.map { index in
            (rows.map { $0[index].count } + [columns[index].heading.count]).max() ?? 0
        }
        return ([columns.map(\.heading)] + rows).map { cells in
            zip(columns, zip(cells, widths)).map { column, cell in
                column.alignment == .left ? cell.0.paddedRight(to: cell.1) : cell.0.paddedLeft(to: cell.1)
            }.joined(separator: "  ").trimmingSpacesAtEnd()
        }.joined(separator: "\n")
    }
}

extension String {
    /// Each line broken between words, so that none is longer than `width` unless one word is.
    func wrapped(at width: Int) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var lines: [String] = []
            for word in line.split(separator: " ") {
                if let last = lines.last, last.count + 1 + word.count <= width {
                    lines[lines.count - 1] += " \(word)"
                } else {
                    lines.append(String(word))
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    func paddedRight(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func paddedLeft(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    fileprivate func trimmingSpacesAtEnd() -> String {
        String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
    }
}
