/// The style sheet of a page with pictures and tables.
enum PageStyle {
    static let css = """
        \(shapes)
        \(colours(.light))
        \(PictureStyle.css)
        @media (prefers-color-scheme: dark) {
        \(colours(.dark))
        }
        """

    private static let shapes = """
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 28px; line-height: 1.2; margin: 0 0 12px; }
        h2 { font-size: 20px; margin: 48px 0 4px; }
        p { margin: 0 0 12px; max-width: 76ch; }
        .lead { font-size: 18px; }
        svg { display: block; width: 100%; height: auto; margin-top: 12px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 14px; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: 6px 8px; white-space: nowrap; }
        thead th { white-space: normal; vertical-align: bottom; font-weight: 500; }
        th:first-child { text-align: left; }
        """

    private static func colours(_ colours: Colours) -> String {
        let rows = Hue.allCases.map { "th.\($0.rawValue) { color: \(colours[$0]); }" }
        return """
            body { background: \(colours.page); color: \(colours.ink); }
            section > p, thead th { color: \(colours.soft); }
            th, td { border-bottom: 1px solid \(colours.line); }
            \(rows.joined(separator: "\n"))
            """
    }
}
