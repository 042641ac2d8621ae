import Testing

/// A house rule that a machine can check: which files it concerns, what breaks it, and a text that breaks it.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let concerns: @Sendable (SourceFile) -> Bool
    let check: @Sendable (SourceFile) -> [Finding]
    /// A file that breaks the rule exactly once.
    let broken: SourceFile
    /// A file that comes close, and keeps it.
    let kept: SourceFile

    var testDescription: String { name }

    func findings(in file: SourceFile) -> [Finding] { concerns(file) ? check(file) : [] }
}

extension Rule {
    /// A rule that looks at each line for itself.
    static func eachLine(
        _ name: String, of concerns: @escaping @Sendable (SourceFile) -> Bool, broken: SourceFile, kept: SourceFile,
        complaint: @escaping @Sendable (Substring) -> String?
    ) -> Rule {
        Rule(
            name: name, concerns: concerns,
            check: { file in
                file.lines.enumerated().compactMap { index, line in
                    complaint(line).map { Finding(path: file.path, line: index + 1, message: $0) }
                }
            }, broken: broken, kept: kept)
    }

    static let all: [Rule] = [
        pureTargetsImportNothing, unsafeMemoryIsExplained, nothingIsLeftForLater, nothingNamesAWorkplace,
        linesAreShort, limitsHaveReasons, testsRunAlways, testsDoNotSleep, executablesHaveAnApp, linksLeadSomewhere,
    ]
}

/// Joins the parts of a word that this file must not contain itself.
func word(_ parts: String...) -> String { parts.joined() }

extension SourceFile {
    var isSwift: Bool { fileExtension == "swift" }
    var isMarkdown: Bool { fileExtension == "md" }
    /// Anything but the changelog may be asked to look like today.
    var isSwiftSource: Bool { isSwift && ["Sources", "Benchmarks", "Experiment"].contains(where: isUnder) }
    var isSwiftTest: Bool { isSwift && isUnder("Tests") }
}
