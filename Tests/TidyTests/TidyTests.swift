import Arbiter
import Testing

/// The mechanical part of the house rules (CONTRIBUTING.md). Every rule first proves that it can be broken.
@Suite("Tidy")
struct TidyTests {
    @Test("a text that breaks the rule is found, one that comes close is not", arguments: Rule.all)
    func ruleCanFail(_ rule: Rule) {
        #expect(rule.findings(in: rule.broken).count == 1)
        #expect(rule.findings(in: rule.kept) == [])
    }

    @Test("the repository keeps the rule", arguments: Rule.all)
    func repositoryKeeps(_ rule: Rule) {
        let findings = Repository.files.flatMap(rule.findings)
        #expect(findings.isEmpty, "\(findings.map(\.description).joined(separator: "\n"))")
    }

    @Test("the rules see every target, test and script")
    func coverage() {
        let paths = Set(Repository.files.map(\.path))
        #expect(paths.isSuperset(of: ["Package.swift", "scripts/setup", "docs/architecture.md", ".ci/run"]))
        for folder in Repository.folders(in: "Sources").map({ "Sources/\($0)" }) {
            #expect(Repository.files.contains { $0.isUnder(folder) }, "no file of \(folder) was read")
        }
    }
}
