import Foundation
import Reporting
import Testing

/// Goal: numbers and tables read as people and programs expect. Method: known texts.
@Suite struct TextTests {
    @Test func `Numbers are written with as many decimals as asked`() {
        #expect(Format.fixed(0.05, 1) == "0.1")
        #expect(Format.fixed(-1.25, 1) == "-1.3")
        #expect(Format.fixed(-0.001, 2) == "0.00")
        #expect(Format.fixed(1234.5678, 3) == "1234.568")
        #expect(Format.fixed(99.5, 0) == "100")
        #expect(Format.rate(millihertz: 25) == "0.03/s")
        #expect(Format.duration(nanoseconds: 7_500_000) == "7.5 ms")
        #expect(
            [0, 999, 1_024, 1_000_000, -12_345].map(Format.grouped) == ["0", "999", "1,024", "1,000,000", "-12,345"])
    }

    @Test func `A table is text, Markdown and HTML`() {
        var table = Table([.left("VM"), .right("GOT")])
        table.append(["a", "1.00"])
        table.append(["<b>", "12.00"])
        #expect(table.text == "VM     GOT\na     1.00\n<b>  12.00")
        #expect(table.markdown == "| VM | GOT |\n| --- | ---: |\n| a | 1.00 |\n| <b> | 12.00 |")
        let html = table.html { $0 == 0 ? "blue" : "grey" }
        #expect(html.contains("<tr><th scope=\"row\" class=\"blue\">a</th><td>1.00</td></tr>"))
        #expect(html.contains("class=\"grey\">&lt;b&gt;</th>"))
    }

    @Test func `JSON keeps its order and its decimals, and is JSON`() throws {
        let json = JSON.object([
            ("b", .fixed(1, decimals: 2)), ("a", .list([.integer(1), .null, .bool(true)])),
            ("text", .text("a \"quoted\"\nline \u{1}\\ é")), ("rows", .list([.object([("x", .integer(-1))])])),
        ])
        #expect(json.text.hasPrefix("{\n  \"b\": 1.00,\n  \"a\": [1, null, true],\n"))
        #expect(json.text.hasSuffix("  \"rows\": [\n    {\"x\": -1}\n  ]\n}"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
        #expect(object["text"] as? String == "a \"quoted\"\nline \u{1}\\ é")
    }

    @Test func `Text is wrapped between words`() {
        #expect("one two three\nfour".wrapped(at: 8) == "one two\nthree\nfour")
    }

    @Test func `What others named can be put on a terminal`() {
        #expect(Format.printable("web-7 é 東 🦊") == "web-7 é 東 🦊")
        #expect(Format.printable("a\u{1B}[2J\u{9B}\n\u{7F}b") == "a\\u{1B}[2J\\u{9B}\\u{A}\\u{7F}b")
        #expect(Format.printable("x\u{202E}y\u{200B}\u{2028}\r\n") == "x\\u{202E}y\\u{200B}\\u{2028}\\u{D}\\u{A}")
    }

    @Test func `Markup in a text stays text`() {
        #expect(HTML.escaped("<b a=\"1\">&") == "&lt;b a=&quot;1&quot;&gt;&amp;")
    }
}
