import Reporting

/// Text of the page, in lines that are short enough for the project's documents.
enum Markdown {
    private static let width = 120

    static func paragraph(_ text: String) -> String { text.replacing("\n", with: " ").wrapped(at: width) }

    static func bullets(_ items: [String]) -> String {
        items.map { item in
            let lines = item.replacing("\n", with: " ").wrapped(at: width - 2).split(separator: "\n")
            return "- " + lines.joined(separator: "\n  ")
        }.joined(separator: "\n")
    }

    static func picture(_ file: String, _ text: String) -> String { "![\(text)](\(file))" }

    /// Parts with an empty line between them.
    static func joined(_ parts: [String]) -> String { parts.joined(separator: "\n\n") }
}
