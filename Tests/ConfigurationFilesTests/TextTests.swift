import Testing

@testable import ConfigurationFiles

@Suite("The text of a file")
struct TextTests {
    private func told(_ text: String) -> String? {
        do {
            _ = try TOMLDocument.parse(text, file: "t.toml")
            return nil
        } catch {
            return error.description
        }
    }

    private static let parts = Array(repeating: "x", count: 20_000).joined(separator: ".")

    @Test(
        "what lies too deep is named with its place, and does not end the process",
        arguments: [
            ("\(parts) = 1", 1, 16, "a key has more than 8 parts"), ("a = 1\n[\(parts)]", 2, 17, "more than 8 parts"),
            ("[[\(parts)]]", 1, 18, "more than 8 parts"), ("a = {\(parts) = 1}", 1, 21, "more than 8 parts"),
            ("configuration = { a = [{\(parts) = 1}] }", 1, 40, "more than 8 parts"),
            ("a = 'x'\n'x'." + parts + " = 1", 2, 18, "more than 8 parts"),
            ("a = " + String(repeating: "[", count: 20_000), 1, 13, "more than 8 brackets are open"),
            ("\n a = " + String(repeating: "{a = ", count: 20_000), 2, 46, "more than 8 brackets are open"),
            (String(repeating: "[", count: 20_000), 1, 9, "more than 8 brackets are open"),
        ])
    func nesting(_ text: String, line: Int, column: Int, _ part: String) throws {
        let problem = try #require(told(text))
        #expect(problem.hasPrefix("t.toml:\(line):\(column): ") && problem.contains(part), "\(problem)")
    }

    @Test("what is deep enough for every setting is read, and points in texts and comments are not counted")
    func depth() {
        #expect(told("a.b.c.d.e.f.g.h = [[[[[[[[1]]]]]]]]") == nil)
        #expect(told("a = \"\(Self.parts)\" # \(Self.parts)\nb = '''\n\(Self.parts)'''\n") == nil)
        #expect(told("a = \"\"\"\\\"\"\"\(Self.parts)\"\"\"\n") == nil)
        #expect(told("a = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]\nb.c = 1\nb.d = 1\n") == nil)
    }

    /// Every key with its line, as `a.b[0].c:3`.
    private func places(_ section: TOMLSection, _ path: String = "") -> [String] {
        section.entries.flatMap { entry in
            ["\(path)\(entry.name):\(entry.line.map { "\($0)" } ?? "?")"]
                + places(entry.value, "\(path)\(entry.name)")
        }
    }

    private func places(_ value: TOMLValue, _ path: String) -> [String] {
        switch value {
        case .section(let section): places(section, path + ".")
        case .list(let members): members.enumerated().flatMap { places($1, "\(path)[\($0)]") }
        default: []
        }
    }

    @Test(
        "every key knows its line, however it is written",
        arguments: [
            ("a = 1\n\n# c = 1\nb = 2", ["a:1", "b:4"]),
            ("[s]\r\na = 1\r\n\r\nb = 2\r\n", ["s:1", "s.a:2", "s.b:4"]),
            ("[ s . t ] # x\na = 1", ["s:1", "s.t:1", "s.t.a:2"]),
            ("s.a = 1\ns.b = 2", ["s:1", "s.a:1", "s.b:2"]),
            ("a = \"\"\"\n[x]\ny = 1\"\"\"\nb = '''\n'''\nc = 1", ["a:1", "b:4", "c:6"]),
            ("[[g]]\nc = 1\n[[g]]\nc = 2\n[g.s]\nd = 3", ["g:1", "g[0].c:2", "g[1].c:4", "g[1].s:5", "g[1].s.d:6"]),
            ("g = [{c = 1},\n {c = 2, d.e = 3}]", ["g:1", "g[0].c:1", "g[1].c:2", "g[1].d:2", "g[1].d.e:2"]),
            ("g = [ # x\n 1, [2,\n 3], [{a = 1}] ]\nb = 1", ["b:4", "g:1", "g[2][0].a:3"]),
            (#""\u0061\t" = 1"# + "\n'b\\' = 2\n\"\" = 3", [":3", "a\t:1", "b\\:2"]),
            ("\u{FEFF}a = 1", ["a:1"]), ("a = { b = { c = '}' } } # {\nd = 1", ["a:1", "a.b:1", "a.b.c:1", "d:2"]),
        ])
    func lines(_ text: String, _ expected: [String]) throws {
        #expect(places(try TOMLDocument.parse(text, file: "t.toml")).sorted() == expected.sorted())
    }

    @Test("of a crowd of mistakes the first hundred are told, and how many there are beside")
    func crowd() throws {
        let text = (1...500).map { "k\($0) = 1\n" }.joined()
        let error = try #require(throws: ConfigurationError.self) { try ConfigurationFile.parse(text, file: "t.toml") }
        #expect(error.problems.count == 101)
        #expect(error.problems.first?.description.hasPrefix("t.toml:1: k1: unknown key") == true)
        #expect(error.problems.last?.description == "t.toml: and 400 more mistakes")
    }

    @Test("a name that is longer than any key is quoted by its beginning")
    func longName() throws {
        let text = String(repeating: "k", count: 500_000) + " = 1"
        let error = try #require(throws: ConfigurationError.self) { try ConfigurationFile.parse(text, file: "t.toml") }
        #expect(error.description == "t.toml:1: \(String(repeating: "k", count: 100))…: unknown key")
    }
}
