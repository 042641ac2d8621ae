import Arbiter
import ConfigurationFiles
import Foundation
import Testing

@testable import CapacityPlanning

@Suite("The fleet file")
struct FleetFileTests {
    private func parse(_ text: String) throws -> Fleet {
        try FleetFile.parse(text, file: "f.toml") { path throws(ConfigurationError) in
            try ConfigurationFile.parse("[arbiter]\nholt = \"5ms\"\n", file: path)
        }
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try parse(text)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems.map(\.description) ?? ["\(error)"]
        }
    }

    @Test("a group is one VM after the other with the defaults of a registration")
    func defaults() throws {
        let fleet = try parse("[[group]]\ncount = 3\n")
        #expect(fleet.virtualMachines == 3)
        let group = try #require(fleet.groups.first)
        #expect(group.name == "group-1")
        #expect(group.registration == Registration())
        #expect(!group.launches.areExpected)
    }

    @Test("what is written is what is planned")
    func values() throws {
        let fleet = try parse(
            """
            [configuration.arbiter]
            floor_share = "20%"
            [[group]]
            name = "a"
            count = 7
            account = "tenant"
            reservation = "0.5/s"
            reservation_least = "0.25/s"
            limit = "2/s"
            weight = 50
            burst = 4
            guest_wait_max = "200ms"
            guest = "once"
            requests = "loop"
            starts = "aligned"
            launch_profile = "ovmf-4m"
            launches_per_minute = 0.125
            launch_spacing = "even"
            launch_turns = "whole"
            vcpus = 8
            [[unjoined]]
            count = 2
            guest = "hostile"
            requests = "3/s"
            requests_at_once = 6
            """)
        #expect(fleet.configuration.arbiter.floorShare == Share(percent: 20))
        let group = try #require(fleet.groups.first)
        #expect(
            group.registration
                == Registration(
                    reservationWanted: Rate(millihertz: 500), reservationLeast: Rate(millihertz: 250),
                    limit: .perSecond(2), weight: Weight(50), burst: 4, retryPolicy: .once,
                    guestWaitMax: .milliseconds(200)))
        #expect(group.account == "tenant" && group.guest.requests == .loop && group.guest.starts == .aligned)
        #expect(group.launches.profile == .ovmf4MiB && group.launches.perThousandMinutes == 125)
        #expect(group.launches.spacing == .even && group.launches.turns == .whole)
        #expect(group.launches.virtualCPUs == 8)
        let unjoined = try #require(fleet.unjoined.first)
        #expect(unjoined.guest.kind == .hostile && unjoined.guest.requests == .every(.perSecond(3)))
        #expect(unjoined.guest.atOnce == 6 && fleet.unjoinedGuests == 2)
    }

    /// Changes each key alone and looks for the change: none is without effect, and no two share a place.
    @Test("each key of a group sets a place of its own")
    func places() throws {
        var seen = [try parse("[[group]]\ncount = 1\n")]
        for key in FleetGroup.keys where key.path != "count" {
            let value = try #require(Self.others[key.path], "no other value is known for \(key.path)")
            let fleet = try parse("[[group]]\ncount = 1\n\(key.path) = \(value)\n")
            #expect(!seen.contains(fleet), "\(key.path)")
            let isWritten = fleet.groups.first.map { key.read($0).toml } == value
            #expect(isWritten, "\(key.path)")
            seen.append(fleet)
        }
    }

    private static let others = [
        "name": "\"web\"", "account": "\"tenant\"", "reservation": "\"2/s\"", "reservation_least": "\"0.5/s\"",
        "limit": "\"2/s\"", "weight": "7", "burst": "2", "guest_wait_max": "\"100ms\"", "guest": "\"once\"",
        "requests": "\"2/s\"", "requests_at_once": "2", "starts": "\"aligned\"", "launch_profile": "\"ovmf-1m\"",
        "launches_per_minute": "1.5", "launch_spacing": "\"random\"", "launch_turns": "\"whole\"", "vcpus": "2",
    ]

    @Test(
        "an unknown key is told with its group and what was meant",
        arguments: [
            (
                "[[group]]\ncount = 1\nwieght = 5",
                "f.toml:3: group[1].wieght: unknown key; did you mean group[1].weight?"
            ),
            (
                "[[group]]\nname = \"web\"\ncount = 1\nlimits = \"1/s\"",
                "f.toml:4: group[web].limits: unknown key; did you mean group[web].limit?"
            ),
            ("[[groups]]\ncount = 1", "f.toml:1: groups: unknown key; did you mean [[group]]?"),
            (
                "[[group]]\ncount = 1\n[[unjoint]]\ncount = 1",
                "f.toml:3: unjoint: unknown key; did you mean [[unjoined]]?"
            ),
            (
                "[[group]]\ncount = 1\n[configuration.arbiter]\nchunk_page = 3",
                "f.toml:4: configuration.arbiter.chunk_page: unknown key; did you mean configuration.arbiter.chunk_pages?"
            ),
            (
                "[[group]]\ncount = 1\n[configuration.arbitre]\nhold = \"5ms\"",
                "f.toml:3: configuration.arbitre: unknown section; did you mean [configuration.arbiter]?"
            ),
            (
                "[[group]]\ncount = 1\n[zzzzzzzzzz]",
                "f.toml:3: zzzzzzzzzz: unknown key. A fleet has [[group]], [[unjoined]], [configuration]"
            ),
        ])
    func unknown(_ text: String, _ problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test(
        "a wrong value is told with what was expected and what was found",
        arguments: [
            ("count = 0", "group[1].count: expected a whole number from 1 to 4096; found the number 0"),
            ("count = \"60\"", "found the text \"60\""),
            ("count = 1\nreservation = \"1/min\"", "expected a rate from \"0.025/s\" to \"10000/s\", or \"none\""),
            ("count = 1\nrequests = \"lop\"", "expected one of \"loop\", \"none\", or a rate from \"0.001/s\""),
            ("count = 1\nguest = \"windows\"", "expected one of \"linux\", \"once\", \"never\", \"hostile\""),
            ("count = 1\nlaunches_per_minute = -1", "expected a number from 0 to 3600, with at most three decimals"),
            ("count = 1\nlaunches_per_minute = 0.0001", "found the number 0.0001"),
            ("count = 1\nname = \"a b\"", "expected a word of at most 32 letters"),
            ("count = 1\nname = \"7\"", "the first of them a letter"),
            ("count = 1\nlaunch_profile = \"ovmf\"", "\"microvm\", \"vmm-64p\", \"ovmf-1m\", \"ovmf-4m\""),
            ("name = \"x\"", "group[x].count: is missing"),
        ])
    func wrongValue(_ keys: String, _ part: String) {
        let found = problems("[[group]]\n" + keys)
        #expect(found.count == 1)
        #expect(found.first?.contains(part) == true, "\(found)")
    }

    @Test(
        "what cannot be meant together is told",
        arguments: [
            (
                "reservation = \"1/s\"\nreservation_least = \"2/s\"",
                "group[1].reservation_least: must not exceed reservation"
            ),
            (
                "reservation_least = \"1/s\"\nlimit = \"0.5/s\"",
                "group[1].reservation_least: must not exceed limit (0.5/s)"
            ),
            (
                "launches_per_minute = 0.5\nlaunch_spacing = \"random\"",
                "group[1].launches_per_minute: must be a whole number where launch_spacing is \"random\""
            ),
            ("requests = \"loop\"\nrequests_at_once = 2", "group[1].requests_at_once: needs a rate in requests"),
        ])
    func contradictions(_ keys: String, _ part: String) {
        let found = problems("[[group]]\ncount = 1\n" + keys)
        #expect(found.count == 1)
        #expect(found.first?.contains(part) == true, "\(found)")
    }

    @Test("what is wrong with the fleet as a whole is told")
    func whole() {
        #expect(problems("") == ["f.toml: group: is missing: a fleet has at least one [[group]] with a count"])
        #expect(problems("group = 3").first?.contains("is a list: write [[group]]") == true)
        #expect(problems("[group.web]\ncount = 1").first?.contains("is a list: write [[group]]") == true)
        #expect(problems("group = [1]").first?.contains("group[1]: expected the keys of a group") == true)
        let many = String(repeating: "[[group]]\ncount = 3000\n", count: 2)
        #expect(problems(many) == ["f.toml: group.count: all together there may be at most 4096; found 6000"])
        let twice = String(repeating: "[[group]]\nname = \"a\"\ncount = 1\n", count: 2)
        #expect(problems(twice) == ["f.toml:5: group[a].name: another group has the same name"])
        let crowd = String(repeating: "[[group]]\ncount = 1\n", count: 65)
        #expect(problems(crowd) == ["f.toml:1: group: there may be at most 64; found 65"])
        #expect(problems("sp = \"rome\"\n[[group]]\ncount = 1").first?.contains("\"milan-2024\"") == true)
        #expect(problems("configuration = 7\n[[group]]\ncount = 1").first?.contains("[configuration.arbiter]") == true)
    }

    @Test("mistakes of a configuration that is named are told with its own name")
    func namedConfiguration() {
        let found = problems("configuration = \"d.toml\"\n[[group]]\ncount = 1\n")
        #expect(found.count == 2)
        #expect(found.last == "d.toml:2: arbiter.holt: unknown key; did you mean arbiter.hold?")
    }

    /// Keys stand in the first cells of the table.
    @Test("the document names every key of a group, with its default, and no other")
    func document() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/capacity-planning.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let named = rows.compactMap { $0.firstMatch(of: /^\| `([a-z_]+)` \|/).map { String($0.1) } }
        #expect(named.sorted() == FleetGroup.keys.map(\.path).sorted())
        let group = FleetGroup(name: "group-1")
        for (key, row) in zip(named, rows) {
            guard !["name", "count", "guest_wait_max"].contains(key) else { continue }
            let value = try #require(FleetGroup.keys.first { $0.path == key }).read(group).toml
            let bare = value.trimmingPrefix("\"").hasSuffix("\"") ? String(value.dropFirst().dropLast()) : value
            #expect(row.hasSuffix("| `\(bare)` |") || row.hasSuffix("| \(bare) |"), "the default of \(key) is \(bare)")
        }
    }

    @Test("the examples of the documentation are admitted", arguments: ["fleet", "thousand"])
    func examples(_ name: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let fleet = try FleetFile.load(root.appending(path: "docs/examples/\(name).toml").path)
        #expect(FleetAdmission(fleet).isFulfilled)
        #expect(name != "thousand" || fleet.virtualMachines == 1_000)
    }

    @Test("all mistakes are told at once")
    func all() {
        #expect(problems("[[group]]\ncont = 1\nweight = 0\n[[unjoined]]\n[x]\n").count == 5)
    }
}
