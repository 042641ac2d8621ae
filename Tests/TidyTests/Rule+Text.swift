extension Rule {
    private static let postponements = [word("TO", "DO"), word("FIX", "ME"), word("XX", "X:"), word("HA", "CK:")]

    static let nothingIsLeftForLater = Rule.eachLine(
        "nothing is left for later", of: { _ in true },
        broken: SourceFile(path: "Sources/X/Y.swift", text: "// " + word("TO", "DO") + ": the rest\n"),
        kept: SourceFile(path: "Sources/X/Y.swift", text: "/// What there is to do, in order.\n")
    ) { line in
        postponements.first { line.contains($0) }.map { "'\($0)': do it now, or leave it out" }
    }

    /// Names that mean something on one machine only.
    private static let workplaceWords = [
        word("/wo", "rk/"), word("/fa", "rm/"), word("/ho", "me/"), word("/Us", "ers/"), word("/tmp/", "wt"),
        word("/tmp/", "brief"), word("/tmp/", "bash_jobs"), word(".lib", "rary"), word("DES", "IGN.md"),
        word("DES", "IGN §"), word("refer", "ence/"), word("../sha", "red"),
    ]

    static let nothingNamesAWorkplace = Rule.eachLine(
        "the project speaks of itself alone", of: { _ in true },
        broken: SourceFile(path: "docs/x.md", text: "Built in " + word("/ho", "me/") + "somebody.\n"),
        kept: SourceFile(path: "docs/x.md", text: "See architecture.md, section 4.\n")
    ) { line in
        workplaceWords.first { line.contains($0) }.map { "'\($0)' means nothing to a reader of this project" }
    }

    private static let longestLine = 120

    /// A row of a table, an address, and a string that stands on its line alone.
    private static func isUnbreakable(_ line: Substring) -> Bool {
        line.hasPrefix("|") || line.contains("https://") || line.drop { " ?:".contains($0) }.hasPrefix("\"")
    }

    static let linesAreShort = Rule.eachLine(
        "lines are short enough to read", of: { $0.name != "Makefile" },
        broken: SourceFile(path: "docs/x.md", text: String(repeating: "word ", count: 25) + "\n"),
        kept: SourceFile(path: "docs/x.md", text: "| " + String(repeating: "cell ", count: 25) + "|\n")
    ) { line in
        guard line.count > longestLine, !isUnbreakable(line) else { return nil }
        return "\(line.count) characters, more than \(longestLine)"
    }

    static let linksLeadSomewhere = Rule(
        name: "links between the documents lead somewhere",
        concerns: \.isMarkdown,
        check: { file in
            let folder = file.path.split(separator: "/").dropLast().map { $0 + "/" }.joined()
            return file.lines.enumerated().flatMap { index, line in
                line.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/).filter { !Repository.exists(folder + $0.1) }
                    .map { Finding(path: file.path, line: index + 1, message: "nothing is at '\($0.1)'") }
            }
        },
        broken: SourceFile(path: "docs/x.md", text: "See [this](nowhere.md#at-all) and [that](architecture.md).\n"),
        kept: SourceFile(
            path: "docs/x.md", text: "[a](architecture.md#3-words), [b](../README.md), [c](https://nowhere), [d](#e)\n")
    )
}
