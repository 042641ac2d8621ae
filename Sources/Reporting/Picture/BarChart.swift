/// Horizontal bars on one linear scale from zero, in rows with a title and a note at their end.
public struct BarChart: Sendable {
    public struct Bar: Sendable {
        public let value: Double
        public let hue: Hue
        public let isPale: Bool

        public init(_ value: Double, _ hue: Hue, isPale: Bool = false) {
            (self.value, self.hue, self.isPale) = (value, hue, isPale)
        }
    }

    public struct Row: Sendable {
        public let title: String
        /// Above one another.
        public let bars: [Bar]
        /// What the bars come to, in words.
        public let note: String

        public init(_ title: String, _ bars: [Bar], note: String) {
            (self.title, self.bars, self.note) = (title, bars, note)
        }
    }

    private let label: String
    private let rows: [Row]
    private let left: Double
    private let right: Double

    private static let width = 760.0
    private static let top = 10.0

    /// - Parameters:
    ///   - label: what the picture shows, for those who do not see it.
    ///   - titles: how much room titles have; `notes`, how much notes have.
    public init(_ label: String, rows: [Row], titles: Double = 200, notes: Double = 110) {
        (self.label, self.rows, left, right) = (label, rows, titles, notes)
    }

    public var svg: SVG {
        let heights = rows.map { Double(max($0.bars.count, 1)) * 10 + 14 }
        var svg = SVG(width: Self.width, height: Self.top + heights.reduce(0, +) + 10, label: label)
        var y = Self.top
        for (row, height) in zip(rows, heights) {
            draw(row, y: y, height: height, &svg)
            y += height
        }
        return svg
    }

    private func length(_ value: Double) -> Double {
        let most = rows.flatMap(\.bars).map(\.value).max() ?? 1
        return value / max(most, 1e-9) * (Self.width - left - right)
    }

    private func draw(_ row: Row, y: Double, height: Double, _ svg: inout SVG) {
        svg.text(row.title, left - 12, y + height / 2 + 1, anchor: .end, "label")
        for (index, bar) in row.bars.enumerated() {
            let style = "\(bar.isPale ? "pale" : "bar") \(bar.hue.rawValue)"
            svg.rectangle(left, y + 4 + Double(index) * 10, length(bar.value), 8, style)
        }
        let end = left + (row.bars.map { length($0.value) }.max() ?? 0) + 8
        svg.text(row.note, end, y + height / 2 + 1, "tick")
    }
}
