/// The style sheet of pictures: one for those in a page and for those in files of their own.
///
/// | class | for |
/// |---|---|
/// | `label`, `tick`, `name` | text: an axis' meaning; a number at an axis; what a line is, in its hue |
/// | `grid`, `mark` | thin lines: of the scale; of a value to compare with |
/// | `curve`, `tail`, `arrow`, `full`, `open` | a line, what rises from its points, its markers |
/// | `bar`, `pale` | filled, and filled faintly |
/// | `shade`, `shade odd` | two neutral fills, so that neighbours can be told apart |
///
/// All but the first two rows and the last go with a `Hue`, as in `curve blue`.
public enum PictureStyle {
    public static let css = """
        \(shapes)
        \(colours(Colours.light))
        @media (prefers-color-scheme: dark) {
        \(colours(Colours.dark))
        }
        """

    private static let shapes = """
        svg text { font-family: system-ui, sans-serif; }
        .label { font-size: 13px; }
        .tick { font-size: 12px; }
        .name { font-size: 14px; font-weight: 600; }
        .grid, .mark { stroke-width: 1; }
        .mark { stroke-dasharray: 3 3; }
        .curve { fill: none; stroke-width: 2.5; }
        .dashed { stroke-dasharray: 6 4; }
        .tail { stroke-width: 2; opacity: 0.55; }
        .arrow { fill: none; stroke-width: 2; }
        .open { stroke-width: 2; }
        .pale { opacity: 0.35; }
        """

    private static func colours(_ colours: Colours) -> String {
        let neutral = """
            svg text { fill: \(colours.ink); }
            svg text.tick { fill: \(colours.soft); }
            .page, .open { fill: \(colours.page); }
            .grid { stroke: \(colours.line); }
            .mark { stroke: \(colours.ink); }
            .shade { fill: \(colours.shade); }
            .shade.odd { fill: \(colours.shadeOdd); }
            """
        return ([neutral] + Hue.allCases.map { rules(of: $0, colours[$0]) }).joined(separator: "\n")
    }

    private static func rules(of hue: Hue, _ colour: String) -> String {
        let name = hue.rawValue
        return """
            .curve.\(name), .tail.\(name), .arrow.\(name), .open.\(name) { stroke: \(colour); }
            .full.\(name), .bar.\(name), .pale.\(name), svg text.name.\(name) { fill: \(colour); }
            """
    }
}

/// The colours of one kind of screen.
struct Colours: Sendable {
    let page: String
    let ink: String
    let soft: String
    let line: String
    let shade: String
    let shadeOdd: String
    private let isDark: Bool

    subscript(hue: Hue) -> String { isDark ? hue.onDark : hue.onLight }

    static let light = Colours(
        page: "#ffffff", ink: "#1c2024", soft: "#5b6570", line: "#dfe3e8", shade: "#aeb6bf", shadeOdd: "#c9cfd6",
        isDark: false)
    static let dark = Colours(
        page: "#14171a", ink: "#e8eaed", soft: "#9aa4ae", line: "#2c3238", shade: "#616b76", shadeOdd: "#4b545d",
        isDark: true)
}
