/// Builds one SVG image. Colours come from `PictureStyle`, by class.
public struct SVG: Sendable {
    public let width: Double
    public let height: Double
    /// For those who do not see the image.
    public let label: String
    private var body: [String] = []

    public init(width: Double, height: Double, label: String) {
        self.width = width
        self.height = height
        self.label = label
    }

    public enum Anchor: String, Sendable { case start, middle, end }

    public mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        body.append(
            "<line class=\"\(style)\" x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\"/>")
    }

    public mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String) {
        body.append(
            "<rect class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\"/>")
    }

    public mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ style: String) {
        body.append("<circle class=\"\(style)\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\"/>")
    }

    public mutating func polyline(_ points: [(x: Double, y: Double)], _ style: String) {
        let text = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        body.append("<polyline class=\"\(style)\" points=\"\(text)\"/>")
    }

    public mutating func text(
        _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, _ style: String = "label"
    ) {
        body.append(
            "<text class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor.rawValue)\">"
                + "\(HTML.escaped(text))</text>")
    }

    /// An arrow that points up from a marker: the value lies there or beyond.
    public mutating func arrowUp(_ x: Double, _ y: Double, length: Double, _ style: String) {
        line(x, y, x, y - length, style)
        polyline([(x - 4, y - length + 5), (x, y - length), (x + 4, y - length + 5)], style)
    }

    /// For a page that has `PictureStyle.css` in its own style sheet, as `HTMLPage` does.
    public var markup: String { element(body.joined(separator: "\n")) }

    /// A file that needs nothing else, for light and dark screens.
    public var file: String {
        let page = "<rect class=\"page\" width=\"\(n(width))\" height=\"\(n(height))\"/>"
        return element("<style>\n\(PictureStyle.css)\n</style>\n\(page)\n\(body.joined(separator: "\n"))") + "\n"
    }

    private func element(_ content: String) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(n(width)) \(n(height))" role="img" \
        aria-label="\(HTML.escaped(label))">
        \(content)
        </svg>
        """
    }

    private func n(_ value: Double) -> String { Format.fixed(value, 1) }
}
