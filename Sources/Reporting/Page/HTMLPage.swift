/// A page in one file that needs nothing else, for light and dark screens: a title, what was found, and sections of a
/// sentence or two with a picture or a table.
///
/// `spschedctl demo --report` and `spschedctl plan --report` write their reports with it:
///
///     HTMLPage(
///         title: "A fleet of 64 VMs", lead: "It is admitted; the reserved wait binds.",
///         sections: [HTMLPage.Section("Report latency", "Each group's own.", chart.svg.markup)]
///     ).html
public struct HTMLPage: Sendable {
    public struct Section: Sendable {
        public let title: String
        public let text: String
        /// Markup: `SVG.markup`, `Table.html()` or paragraphs of the caller's own.
        public let content: String

        public init(_ title: String, _ text: String, _ content: String) {
            (self.title, self.text, self.content) = (title, text, content)
        }
    }

    /// In the window's title; the heading, unless there is another.
    public let title: String
    public let heading: String
    public let lead: String
    public let sections: [Section]

    public init(title: String, heading: String? = nil, lead: String, sections: [Section]) {
        (self.title, self.heading, self.lead, self.sections) = (title, heading ?? title, lead, sections)
    }

    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>\(HTML.escaped(title))</title>
        <style>
        \(PageStyle.css)
        </style>
        </head>
        <body>
        <main>
        <h1>\(HTML.escaped(heading))</h1>
        <p class="lead">\(HTML.escaped(lead))</p>
        \(sections.map(\.markup).joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }
}

extension HTMLPage.Section {
    fileprivate var markup: String {
        """
        <section>
        <h2>\(HTML.escaped(title))</h2>
        <p>\(HTML.escaped(text))</p>
        \(content)
        </section>
        """
    }
}
