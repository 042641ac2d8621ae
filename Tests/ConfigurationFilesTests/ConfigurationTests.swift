import Arbiter
import Testing

@testable import ConfigurationFiles

@Suite("The configuration")
struct ConfigurationTests {
    private func problems(_ text: String) -> [String] {
        do {
            _ = try ConfigurationFile.parse(text, file: "t.toml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("an empty file is the defaults")
    func empty() throws {
        #expect(try ConfigurationFile.parse("", file: "t.toml") == DaemonConfiguration())
    }

    @Test("what --check-config prints is read back as the same configuration, whatever is set")
    func roundTrip() throws {
        var configuration = DaemonConfiguration()
        #expect(try ConfigurationFile.parse(configuration.toml, file: "t.toml") == configuration)
        configuration.arbiter.capacityPerSecond = .milliseconds(900)
        configuration.arbiter.floorShare = Share(perMille: 125)
        configuration.arbiter.launchOrder = .shortestFirst
        configuration.arbiter.accountReservationMax = Rate(millihertz: 12_500)
        configuration.device.probeSocket = nil
        configuration.vmm.group = "a \"quoted\" \\ group\n"
        configuration.vmm.mode = 0o666
        configuration.clients.linger = .zero
        #expect(try ConfigurationFile.parse(configuration.toml, file: "t.toml") == configuration)
    }

    @Test(
        "a section without a name is named, and does not end the process",
        arguments: ["[.vmm]", "[[!]]", "[[[vmm]]]", "[", "  [ \t", "\u{FEFF}[=]", "[\u{A0}vmm]", "x = 1\n\n[#]"])
    func sectionWithoutName(_ text: String) throws {
        let problem = try #require(problems(text + "\n").first)
        #expect(problem.contains("a section's name must begin here"))
        #expect(problem.hasPrefix("t.toml:\(text.split(separator: "\n", omittingEmptySubsequences: false).count):"))
    }

    @Test("the parser's own words stay for what it refuses by itself", arguments: ["[]", "[[]]", "[ [vmm]]", "[vmm"])
    func sectionThatTheParserRefuses(_ text: String) throws {
        let problem = try #require(problems(text + "\n").first)
        #expect(problem.hasPrefix("t.toml:1:") && !problem.contains("a section's name must begin here"))
    }

    @Test(
        "a date or time is named with its place, and does not end the process",
        arguments: [
            ("[clients]\nlinger = 1979-05-27T-\n", 2, 10), ("[clients]\nlinger = 1979-05-27 1\n", 2, 10),
            ("linger = 07:32:00", 1, 10), ("x = [1, 1979-05-27]", 1, 9), ("x = -1979-05-27T", 1, 6),
            ("a = \"#\" # 07:32\nb = '\\' \nx = \"\\\"\"\n\n  y=12345-1-", 5, 5),
            ("a = \"\"\"\n07:32 \\\"\"\" \"\"\n\"\"\"\"\"\nb = '''\n1979-05-27\n\\'''\n07:", 7, 1),
        ])
    func dateOrTime(_ text: String, line: Int, column: Int) throws {
        let problem = try #require(problems(text).first)
        #expect(problem.hasPrefix("t.toml:\(line):\(column): a date or time begins here"))
        #expect(problem.contains("write a duration as a text, such as \"5s\""))
    }

    @Test(
        "what only looks like a date or time is left to the parser and the keys",
        arguments: [
            "# 1979-05-27\n", "[device]\npath = \"/1979-05-27 07:32\"\n", "[device]\npath = '/1979-05-27T-'\n",
            "[device]\npath = \"\"\"/07:32\"\"\"\n", "[device]\npath = '''/x'07:32'''\n",
        ])
    func noDateOrTime(_ text: String) {
        #expect(problems(text).isEmpty)
    }

    @Test("what the parser quotes is written in one line")
    func oneLine() throws {
        let problem = try #require(problems("x = in\n\u{7}").first)
        #expect(problem.hasPrefix("t.toml:1:") && problem.contains(#"\n"#))
        #expect(!problem.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    /// Changes each setting by its key and looks for the change: no two keys share a place, and none is without effect.
    @Test("each key sets a place of its own")
    func places() throws {
        var seen: [DaemonConfiguration] = []
        for key in DaemonConfiguration.keys {
            let value = try #require(Self.another(for: key), "no other value is known for \(key.path)")
            // A key may have a path of several words: no section is needed.
            let text = "\(key.path) = \(value.toml)\n"
            let changed = try ConfigurationFile.parse(text, file: "t.toml")
            #expect(key.read(changed) == value, "\(key.path)")
            #expect(!seen.contains(changed), "\(key.path) has the place of another")
            #expect(changed != DaemonConfiguration(), "\(key.path) has no effect")
            seen.append(changed)
        }
    }

    /// Another value inside the key's bounds.
    private static func another(for key: SettingKey<DaemonConfiguration>) -> ConfigurationValue? {
        switch (key.kind, key.read(DaemonConfiguration())) {
        case (.duration(let range), .duration(let value)):
            .duration(value > range.lowerBound ? value - Nanoseconds(1) : value + Nanoseconds(1))
        case (.integer(let range), .integer(let value)): .integer(value > range.lowerBound ? value - 1 : value + 1)
        case (.share, .share(let value)): .share(Share(perMille: value.perMille + 1))
        case (.optionalRate, _): .rate(.perSecond(7))
        case (.choice(let names), let value): names.map { .choice($0) }.first { $0 != value }
        case (.path, _), (.optionalPath, _): .text("/another/path")
        case (.optionalGroup, _): .text("another")
        case (.fileMode, _): .fileMode(0o600)
        default: nil
        }
    }

    /// Counts the fields by reflection, so that a new one cannot be forgotten in the table.
    @Test("every setting of the Arbiter has a key")
    func complete() {
        func leaves(_ value: Any) -> Int {
            let children = Mirror(reflecting: value).children
            let isLeaf =
                value is Nanoseconds || value is Share || value is Rate? || value is LaunchOrder || children.isEmpty
            return isLeaf ? 1 : children.reduce(0) { $0 + leaves($1.value) }
        }
        let keys = DaemonConfiguration.keys.filter {
            $0.path.hasPrefix("arbiter.") || $0.path.hasPrefix("planning_cost.")
        }
        #expect(keys.count == leaves(Configuration()))
    }

    @Test("every default lies inside its own bounds, and every key has a reason that is a sentence")
    func defaults() {
        #expect(Set(DaemonConfiguration.keys.map(\.path)).count == DaemonConfiguration.keys.count)
        for key in DaemonConfiguration.keys {
            #expect(key.reason.hasSuffix("."), "\(key.path)")
            let text = key.read(DaemonConfiguration()).toml.trimmingPrefix("\"")
            let bare = String(text.hasSuffix("\"") ? text.dropLast() : text)
            let parsed = Int64(bare).flatMap { key.kind.parse($0) } ?? key.kind.parse(bare)
            #expect(parsed == key.read(DaemonConfiguration()), "\(key.path)")
        }
    }

    @Test("a zero byte is an error, and nothing behind it is taken for absent")
    func zeroByte() {
        #expect(problems("[arbiter]\n\0hold = 5\n") == ["t.toml: holds a zero byte: it is not text"])
    }

    @Test("a syntax error is told with its line and column")
    func syntax() {
        let found = problems("[arbiter]\nhold = \n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("t.toml:2:") == true)
    }

    @Test(
        "an unknown key is told by its full path, with the one that was meant",
        arguments: [
            (
                "[arbiter]\nchunk_page = 3",
                "t.toml:2: arbiter.chunk_page: unknown key; did you mean arbiter.chunk_pages?"
            ),
            ("[client]\nlinger = \"1s\"", "t.toml:1: client: unknown section; did you mean [clients]?"),
            ("[arbiter]\nlinger = \"1s\"", "t.toml:2: arbiter.linger: unknown key; did you mean clients.linger?"),
            ("[arbiter]\nzzzzzzzz = 1", "t.toml:2: arbiter.zzzzzzzz: unknown key"),
            ("capacity = \"1s\"", "t.toml:1: capacity: unknown key; did you mean arbiter.capacity?"),
            (
                "arbiter = 3",
                "t.toml:1: arbiter: is a section: write [arbiter] on a line of its own, and its keys below"
            ),
        ])
    func unknown(_ text: String, _ problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test(
        "a wrong value is told with what was expected and what was found",
        arguments: [
            ("[arbiter]\nchunk_pages = \"32\"", "expected a whole number from 1 to 512; found the text \"32\""),
            ("[arbiter]\nchunk_pages = 0", "expected a whole number from 1 to 512; found the number 0"),
            ("[arbiter]\nhold = 5", "found the number 5"),
            ("[arbiter]\nhold = \"5\"", "expected a duration from \"200us\" to \"10ms\""),
            ("[arbiter]\nhold = \"1s\"", "found the text \"1s\""),
            ("[arbiter]\nfloor_share = 0.1", "expected a share from \"0.1%\" to \"90%\"; found the number 0.1"),
            ("[arbiter]\nlaunch_order = \"lifo\"", "one of \"first-come-first-served\", \"shortest-first\""),
            (
                "[arbiter]\naccount_reservation_max = true",
                "expected a rate from \"0.025/s\" to \"10000/s\", or \"none\""
            ),
            ("[vmm]\nsocket = \"sock\"", "expected an absolute path"),
            ("[vmm]\nsocket_mode = 660", "expected a file mode such as \"0660\""),
            ("[vmm]\nsocket_mode = \"0060\"", "expected a file mode"),
            ("[device]\npath = [\"/dev/sev\"]", "expected an absolute path; found a list"),
            ("[clients.linger]\nx = 1", "found a section"),
        ])
    func wrongValue(_ text: String, _ part: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.contains(part) == true, "\(found)")
    }

    @Test("values that contradict each other are told, naming both")
    func contradictions() {
        #expect(
            problems("[arbiter]\ncapacity = \"200ms\"") == [
                "t.toml:2: arbiter.launch_reserve: must be less than arbiter.capacity (200ms)"
            ])
        #expect(problems("[arbiter]\nguest_wait_reserved = \"100ms\"").count == 1)
        #expect(
            problems("[arbiter]\nlaunch_pages_max = 16777216\n[planning_cost]\nlaunch_page = \"1s\"") == [
                "t.toml:2: arbiter.launch_pages_max: must be at most 86400: with planning_cost.launch_page (1s) one"
                    + " launch would be reckoned to take more than a day"
            ])
        #expect(problems("[vmm]\nsocket = \"/a\"\n[manager]\nsocket = \"/a\"").count == 1)
    }

    @Test(
        "a key of strange letters is told in one line, and turns nothing",
        arguments: [#""a\u0007\n" = 1"#, #"["\u001b[2J"]"#, #""\u202ea\u2028" = 1"#])
    func strangeKey(_ text: String) throws {
        let problem = try #require(problems(text).first)
        #expect(problem.contains("unknown"))
        let forbidden: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
        #expect(!problem.unicodeScalars.contains { forbidden.contains($0.properties.generalCategory) })
    }

    /// It takes a millisecond, and a file may hold 100,000 keys that are none.
    @Test("what may have been meant is looked for only where it is told")
    func suggestions() throws {
        var reader = SettingsReader(file: "t.toml")
        var asked = 0
        for number in 0..<250 {
            reader.report("key\(number)", "unknown key") {
                asked += 1
                return "; did you mean x?"
            }
        }
        let error = #expect(throws: ConfigurationError.self) { try reader.throwProblems() }
        #expect(asked == 100)
        #expect(error?.problems.first?.description == "t.toml: key0: unknown key; did you mean x?")
        #expect(error?.problems.last?.description == "t.toml: and 150 more mistakes")
        let keys = (0..<2_000).map { "hodl\($0) = 1" }
        #expect(problems("[arbiter]\nhodl = 1\n" + keys.joined(separator: "\n")).count == 101)
    }

    @Test("all mistakes are told at once")
    func all() {
        #expect(problems("[arbiter]\nhold = 5\nchunk_page = 1\n[clint]\nx = 1").count == 3)
    }

    @Test("an edit is an insertion, a deletion, a replacement, or a swap of neighbours")
    func editDistance() {
        #expect(NearestKey.editDistance("hold", "hold") == 0)
        #expect(NearestKey.editDistance("hold", "holds") == 1)
        #expect(NearestKey.editDistance("hodl", "hold") == 1)
        #expect(NearestKey.editDistance("held", "hold") == 1)
        #expect(NearestKey.editDistance("", "hold") == 4)
        #expect(NearestKey.editDistance("kitten", "sitting") == 3)
    }
}
