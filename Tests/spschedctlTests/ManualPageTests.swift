import Foundation
import Testing

/// Goal: spschedctl(1) is what the program does. Method: the page made anew from the program's help must be the one
/// that is shipped; with SPSCHEDD_WRITE_MANUAL=1 it is written instead.
@Suite struct ManualPageTests {
    private static let shipped = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../packaging/man/spschedctl.1"
    ).standardizedFileURL

    @Test func `The shipped page is made from the help of today`() throws {
        let command = try CommandProcess(["--experimental-dump-help"])
        let dump = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        let page = try ManualPage(dump: Data(dump.utf8))
        if ProcessInfo.processInfo.environment["SPSCHEDD_WRITE_MANUAL"] == "1" {
            try page.text.write(to: Self.shipped, atomically: true, encoding: .utf8)
        }
        let text = try String(contentsOf: Self.shipped, encoding: .utf8)
        #expect(
            text == page.text,
            "packaging/man/spschedctl.1 is of another day: 'make documents' makes it anew")
    }

    @Test func `A page has every visible command and option, and nothing that is hidden`() throws {
        let dump = """
            {"command": {"commandName": "x", "abstract": "Do it.", "shouldDisplay": true, "subcommands": [
              {"commandName": "one", "abstract": "First. Then more.", "discussion": "Text.\\n\\n  .literal\\n\\n  more",
               "shouldDisplay": true, "arguments": [
                {"kind": "option", "abstract": "How far.", "defaultValue": "7", "valueName": "n", "isOptional": true,
                 "shouldDisplay": true, "names": [{"kind": "long", "name": "far"}]},
                {"kind": "flag", "valueName": "secret", "isOptional": true, "shouldDisplay": false,
                 "names": [{"kind": "long", "name": "secret"}]}]},
              {"commandName": "two", "shouldDisplay": false}]}}
            """
        let text = try ManualPage(dump: Data(dump.utf8)).text
        #expect(text.contains(".Ss one\n.Nm spschedctl\n.Cm one\n.Op Fl Fl far Ar n\n.Pp\nFirst.\nThen more.\n"))
        #expect(text.contains("\n.Pp\nText.\n.Bd -literal -offset indent\n\\&.literal\n\nmore\n.Ed\n"))
        #expect(text.contains(".It Fl Fl far Ar n\nHow far.\nDefault:\n.Ql 7 .\n"))
        #expect(!text.contains("secret") && !text.contains("two"))
    }
}
