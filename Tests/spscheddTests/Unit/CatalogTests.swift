import Foundation
import Testing

@testable import spschedd

/// Goal: `journalctl -x` explains every record, without holes. Method: the shipped catalog and docs/journal.md against
/// the daemon's own list of events and fields.
@Suite("The journal's catalog and table")
struct CatalogTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// One entry of the catalog: the lines below `-- MESSAGE_ID`.
    private struct Entry {
        var headers: [String] = []
        var body: [Substring] = []

        /// `@FIELD@` in its texts, without our prefix.
        var fields: Set<String> {
            let all = (headers + body.map(String.init)).joined(separator: "\n")
            return Set(all.matches(of: /@([A-Z_]+)@/).map { String($0.output.1) })
        }
    }

    private static func entries() throws -> [(id: String, entry: Entry)] {
        try text("packaging/catalog/spschedd.catalog").components(separatedBy: "\n-- ").dropFirst().map { block in
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            let end = lines.firstIndex(of: "") ?? lines.endIndex
            return (
                String(lines[0]), Entry(headers: lines[1..<end].map(String.init), body: Array(lines[end...]))
            )
        }
    }

    @Test("each event has exactly one entry, and each entry an event")
    func oneEntryEach() throws {
        let identities = try Self.entries().map(\.id)
        let events = LogEvent.allCases.map(\.messageID)
        let unexplained = LogEvent.allCases.filter { !identities.contains($0.messageID) }
        #expect(unexplained.isEmpty, "belong into packaging/catalog/spschedd.catalog and docs/journal.md")
        #expect(identities.sorted() == events.sorted())
    }

    @Test("each entry has a subject, who defines it, where to read more, and a text")
    func complete() throws {
        for (id, entry) in try Self.entries() {
            for header in ["Subject: ", "Defined-By: spschedd", "Support: ", "Documentation: "] {
                #expect(entry.headers.contains { $0.hasPrefix(header) }, "\(id) lacks '\(header)'")
            }
            #expect(entry.body.joined().count > 80, "\(id) explains nothing")
            for line in entry.body { #expect(line.count <= 82, "\(id): too long for a terminal: \(line)") }
        }
    }

    @Test("each field that an entry names comes with every record of its event")
    func fieldsAreSent() throws {
        let events = Dictionary(uniqueKeysWithValues: LogEvent.allCases.map { ($0.messageID, $0) })
        var named = 0
        for (id, entry) in try Self.entries() {
            let event = try #require(events[id])
            let sent = Set(event.promisedFields.map { "SPSCHEDD_\($0.rawValue)" })
            #expect(entry.fields.isSubset(of: sent), "\(event): \(entry.fields.subtracting(sent))")
            named += entry.fields.count
        }
        #expect(named > 20)
    }

    @Test("docs/journal.md lists each event with its identity and fields, and explains each field")
    func table() throws {
        let document = try Self.text("docs/journal.md")
        for event in LogEvent.allCases {
            let fields = event.promisedFields.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            let row = document.split(separator: "\n").first { $0.hasPrefix("| `\(event)` | `\(event.messageID)` | ") }
            #expect(row?.hasSuffix(" | \(fields.isEmpty ? "–" : fields) |") == true, "\(event): \(fields)")
        }
        let explained = document.split(separator: "\n").filter { $0.hasPrefix("| `") }.joined(separator: "\n")
        for name in LogField.Name.allCases { #expect(explained.contains("`\(name.rawValue)`"), "\(name)") }
        // A field that no event has explains nothing.
        let events = document.split(separator: "\n").filter { $0.split(separator: "|").count == 4 }
        for name in LogField.Name.allCases {
            #expect(events.contains { $0.contains("`\(name.rawValue)`") }, "no event has \(name)")
        }
    }
}
