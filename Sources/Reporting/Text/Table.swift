/// A table for people: columns with headings, each aligned, as plain text, as Markdown or as HTML.
public struct Table: Sendable {
    public struct Column: Sendable {
        public enum Alignment: Sendable { case left, right }

        public let heading: String
        public let alignment: Alignment

        public static func left(_ heading: String) -> Column { Column(heading: heading, alignment: .left) }
        public static func right(_ heading: String) -> Column { Column(heading: heading, alignment: .right) }
    }

    public let columns: [Column]
    public private(set) var rows: [[String]] = []

    public init(_ columns: [Column]) { self.columns = columns }

    public mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells)
    }

    /// A line of headings, and columns as wide as their widest cell.
    public var text: String {
        let widths = columns.indices.map { index in
            (rows.map { $0[index].count } + [columns[index].heading.count]).max() ?? 0
        }
        return ([columns.map(\.heading)] + rows).map { cells in
            zip(columns, zip(cells, widths)).map { column, cell in
                column.alignment == .left ? cell.0.paddedRight(to: cell.1) : cell.0.paddedLeft(to: cell.1)
            }.joined(separator: "  ").trimmingSpacesAtEnd()
        }.joined(separator: "\n")
    }

    /// Cells may hold Markdown themselves.
    public var markdown: String {
        let rules = columns.map { $0.alignment == .left ? "---" : "---:" }
        return ([columns.map(\.heading), rules] + rows).map { "| \($0.joined(separator: " | ")) |" }
            .joined(separator: "\n")
    }

    /// Each row's first cell is its heading. Cells are text: what would be markup is escaped.
    /// - Parameter rowStyle: the class of a row's heading, by the row's index.
    public func html(rowStyle: (Int) -> String = { _ in "" }) -> String {
        let heads = columns.map { "<th scope=\"col\">\(HTML.escaped($0.heading))</th>" }.joined()
        let body = rows.enumerated().map { index, cells in
            "<tr><th scope=\"row\" class=\"\(rowStyle(index))\">\(HTML.escaped(cells[0]))</th>"
                + cells.dropFirst().map { "<td>\(HTML.escaped($0))</td>" }.joined() + "</tr>"
        }
        return """
            <div class="scroll"><table>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody></table></div>
            """
    }
}
