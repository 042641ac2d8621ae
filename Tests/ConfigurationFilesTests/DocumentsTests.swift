import Foundation
import Testing

@testable import ConfigurationFiles

/// Goal: what is read about a setting is what the daemon does with it.
@Suite("Documents of the configuration")
struct DocumentsTests {
    private static let packaging = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("packaging")

    @Test(
        "those that are shipped are those that the table writes: 'make documents' writes them anew",
        arguments: [
            ("spschedd.toml", ConfigurationDocuments.example), ("man/spschedd.toml.5", ConfigurationDocuments.manual),
        ])
    func shipped(_ file: String, _ text: String) throws {
        let shipped = try String(contentsOf: Self.packaging.appendingPathComponent(file), encoding: .utf8)
        #expect(shipped == text, "packaging/\(file) is out of date")
    }

    @Test("the example changes nothing, and every comment of a key, made a setting, is its default")
    func example() throws {
        let example = ConfigurationDocuments.example
        #expect(try ConfigurationFile.parse(example, file: "e.toml") == DaemonConfiguration())
        let settings = example.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? line.dropFirst() : line
        }.joined(separator: "\n")
        var reader = SettingsReader(file: "e.toml")
        #expect(reader.configuration(try TOMLDocument.parse(settings, file: "e.toml")) == DaemonConfiguration())
        #expect(reader.problems.isEmpty && Set(DaemonConfiguration.keys.map(\.path)) == Set(reader.origins.keys))
    }

    @Test("every section has keys, and every key a section")
    func sections() {
        let documented = DaemonConfiguration.sections.flatMap { ConfigurationDocuments.keys(of: $0.name).map(\.path) }
        #expect(documented.sorted() == DaemonConfiguration.keys.map(\.path).sorted())
    }

    @Test("the manual is plain to its formatter: no line begins as a request by accident, none is long")
    func manual() {
        let requests = Set(["Bd", "Bl", "Dd", "Dt", "Dv", "Ed", "El", "Em", "Ic", "It", "Li", "Nd", "Nm", "Os", "Pa"])
            .union(["Pp", "Re", "Rs", "Sh", "Ss", "Xr", "%T", "%R", "%U", "\\\""])
        for line in ConfigurationDocuments.manual.split(separator: "\n") {
            guard line.hasPrefix(".") || line.hasPrefix("'") else {
                #expect(line.count <= 80, "\(line)")
                continue
            }
            #expect(requests.contains(String(line.dropFirst().prefix(2))), "\(line)")
        }
    }
}
