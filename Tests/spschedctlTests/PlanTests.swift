import Foundation
import Testing

/// Goal: an operator gets the answer that was asked for, and a sentence that leads to the repair where the question was
/// wrong. Method: the program itself; what it computes is tested in `CapacityPlanningTests`.
@Suite struct PlanTests {
    /// Runs `plan` on a file with this text.
    private func plan(_ text: String, _ arguments: [String] = []) throws -> CommandProcess {
        let file = "/tmp/spschedctl-fleet-\(UUID().uuidString.prefix(8)).toml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let command = try CommandProcess(["plan", file, "--seconds", "30"] + arguments)
        _ = command.waitForEnd()
        return command
    }

    private static let reserving = """
        [[group]]
        name = "web"
        count = COUNT
        reservation_least = "1/s"
        launches_per_minute = 6
        """

    private func reserving(_ count: Int) -> String {
        Self.reserving.replacingOccurrences(of: "COUNT", with: "\(count)")
    }

    private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/examples/fleet.toml").path

    @Test func `The example of the documentation is admitted, and its report has the plots`() throws {
        let command = try CommandProcess(["plan", Self.example, "--seconds", "30", "--report", "REPORT"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0, "\(command.standardError())")
        #expect(output.hasPrefix("The fleet of 170 VMs is admitted, each with the reservation it wants.\n"))
        for row in ["web", "batch", "svsm", "old-vmm", "arbiter.capacity", "All 170 launches at once"] {
            #expect(output.contains("\n\(row) "), "\(row)")
        }
        let report = try String(contentsOfFile: command.file("REPORT"), encoding: .utf8)
        #expect(report.components(separatedBy: "<svg").count - 1 == 4)
        #expect(report.hasSuffix("</html>\n"))
    }

    @Test func `A report that cannot be written is told, after the answer`() throws {
        let command = try CommandProcess(["plan", Self.example, "--seconds", "0", "--report", "/dev/full"])
        #expect(command.standardOutput().hasPrefix("The fleet of 170 VMs is admitted"))
        #expect(command.waitForEnd() == 73)
        let sentence = "spschedctl: the report: could not write /dev/full: No space left on device\n"
        #expect(command.standardError() == sentence)
    }

    @Test func `JSON answers whether, what binds, how many, how fast, and the same for the same seed`() throws {
        let command = try plan(reserving(100), ["--json", "--seed", "7"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(json["admitted"] as? Bool == true && json["virtual_machines"] as? Int == 100)
        let largest = try #require(json["largest"] as? [String: Any])
        #expect(largest["virtual_machines"] as? Int == 100)
        #expect((largest["then_binds"] as? [String: Any])?["setting"] as? String == "arbiter.capacity")
        let simulation = try #require(json["simulation"] as? [String: Any])
        let group = try #require((simulation["groups"] as? [[String: Any]])?.first)
        #expect(group["lost_vmpck"] as? Int == 0)
        let boot = try #require((group["launches"] as? [String: Any])?["boot_ms"] as? [String: Double])
        #expect(try #require(boot["p50"]) > 200 && boot["p50"]! <= boot["p99"]! && boot["p99"]! <= boot["max"]!)
        let again = try plan(reserving(100), ["--json", "--seed", "7"]).standardOutput()
        // All but the name of the file.
        #expect(again.split(separator: "\n").dropFirst(2) == output.split(separator: "\n").dropFirst(2))
    }

    @Test func `A fleet that is not admitted is told so with what binds, and the largest that is`() throws {
        let command = try plan(reserving(130))
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 1)
        #expect(output.hasPrefix("The fleet of 130 VMs is NOT admitted: arbiter.capacity binds."))
        #expect(
            output.contains("The largest fleet of this shape that is admitted: 100 VMs; then arbiter.capacity binds."))
        #expect(output.contains("Simulated, of the largest fleet that is admitted: 30 s"))
    }

    @Test func `A fleet that is admitted with less than it wants is told so first, and how many VMs that are`() throws {
        let command = try plan("[[group]]\nname = \"web\"\ncount = 150\n", ["--json"])
        #expect(command.waitForEnd() == 0)
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(command.standardOutput().utf8)) as? [String: Any])
        #expect(json["reservations_in_full"] as? Bool == false && json["promised_less"] as? Int == 50)
        let text = try plan("[[group]]\nname = \"web\"\ncount = 150\n").standardOutput()
        #expect(
            text.hasPrefix("The fleet of 150 VMs is admitted; 50 of them are promised less than they want.\n"),
            "\(text)")
    }

    @Test func `The waits that admission bounds stand beside the longest, and those being launched are told`() throws {
        let output = try plan(reserving(100)).standardOutput()
        // (0.616 + 0.032 + 100 × 3 × 0.0075) / 0.75, of the 5 s that may be promised.
        #expect(output.contains("within guest_wait_reserved (5.0 s) and a guest's patience (20.0 s)"))
        let row = try #require(output.split(separator: "\n").first { $0.hasPrefix("web ") && $0.contains("3.9 s") })
        #expect(row.split(separator: " ").filter { $0 == "s" }.count == 4, "\(row)")
        #expect(output.contains("do not attest meanwhile:\n1 of web.") || output.contains("meanwhile: 1 of web."))
    }

    @Test func `Hostile guests are played for as long as a person waits, and that is told`() throws {
        let command = try plan(
            "[[group]]\nname = \"bad\"\ncount = 200\nreservation = \"none\"\nguest = \"hostile\"\nrequests = \"none\"\n",
            ["--seconds", "3600"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        // 50 million requests, one in 400 µs by each, less the warm-up.
        #expect(output.contains("Simulated: 90 s,") && output.contains("Only 90 s of the 3600 s were played"))
    }

    @Test func `A fleet of which nothing is admitted is told so without a simulation`() throws {
        let command = try plan(
            "[configuration.arbiter]\nlaunch_reserve = \"949ms\"\n[[group]]\ncount = 2\nreservation_least = \"1/s\"\n")
        #expect(command.waitForEnd() == 1)
        let output = command.standardOutput()
        #expect(output.contains("admitted: 0 VMs") && !output.contains("Simulated"))
    }

    @Test func `Advice is what was tried: settings that admit 600 VMs, or that none does`() throws {
        let unreserved = "[[group]]\nname = \"web\"\ncount = 600\nreservation = \"none\"\n"
        let refused = try plan(unreserved)
        #expect(refused.waitForEnd() == 1)
        #expect(refused.standardOutput().contains("\narbiter.floor_share = \"24%\" would admit it. "))
        let advised = try plan("[configuration.arbiter]\nfloor_share = \"24%\"\n" + unreserved)
        #expect(advised.standardOutput().hasPrefix("The fleet of 600 VMs is admitted") && advised.waitForEnd() == 0)
        let impossible = try plan(reserving(600)).standardOutput()
        #expect(!impossible.contains("raise capacity"))
        #expect(impossible.contains("\nWhat binds cannot be moved far enough: even with arbiter.capacity = \"1s\" "))
    }

    @Test func `Nothing is played in no time`() throws {
        let command = try CommandProcess(["plan", Self.example, "--seconds", "0"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        #expect(output.contains("Worst case by formula") && !output.contains("Simulated"))
    }

    @Test func `Every mistake of a fleet file is told with file, key and what was meant`() throws {
        let command = try plan(
            "[[group]]\nname = \"web\"\ncount = 0\nlimits = \"1/s\"\n[configuration.arbitre]\nx = 1\n")
        #expect(command.waitForEnd() == 78)
        let lines = command.standardError().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.hasPrefix("/tmp/spschedctl-fleet-") })
        for sentence in [
            "group[web].count: expected a whole number from 1 to 4096; found the number 0",
            "group[web].limits: unknown key; did you mean group[web].limit?",
            "configuration.arbitre: unknown section; did you mean [configuration.arbiter]?",
        ] {
            #expect(lines.contains { $0.hasSuffix(sentence) }, "\(sentence): \(lines)")
        }
    }

    @Test(arguments: [
        (["plan", "/nonexistent/fleet.toml"], Int32(78), "/nonexistent/fleet.toml: could not be read"),
        (["plan"], 64, "fleet.toml"), (["plan", "x", "--seconds", "86401"], 64, "0 to 86400"),
        (["plan", "x", "--seed", "-1"], 64, "--seed takes a whole number from 0 to 18446744073709551615"),
        (["plan", "x", "--seed=one"], 64, "--seed takes a whole number from 0 to 18446744073709551615"),
        (["plan", "--bogus"], 64, "Unknown option '--bogus'"),
        (["plan"], 64, "spschedctl plan fleet.toml"), (["replay", "--bogus"], 64, "Unknown option '--bogus'"),
        (["replay"], 64, "Which trace?"), (["platform", "vlek-load", "--bogus"], 64, "Unknown option '--bogus'"),
        (["platform", "vlek-load"], 64, "Which key?"),
    ])
    func `A wrong call is named, with what would be right`(arguments: [String], code: Int32, part: String) throws {
        let command = try CommandProcess(arguments)
        #expect(command.waitForEnd() == code)
        let error = command.standardError()
        #expect(error.contains(part), "\(error)")
    }

    @Test(arguments: [
        ("/nonexistent/report.html", "could not write /nonexistent/report.html: No such file or directory\n"),
        ("/dev/full", "could not write /dev/full: No space left on device\n"),
        ("/proc/version", "could not write /proc/version: "),
    ])
    func `A report that cannot be written is told in a sentence`(path: String, sentence: String) throws {
        let command = try plan("[[group]]\ncount = 1\n", ["--report", path])
        #expect(command.waitForEnd() == 73)
        #expect(command.standardError().contains("spschedctl: the report: \(sentence)"))
    }

    @Test func `A configuration that is named is read from beside the fleet file`() throws {
        let directory = "/tmp/spschedctl-fleet-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let fleet = "configuration = \"spschedd.toml\"\n[[group]]\ncount = 300\nreservation = \"none\"\n"
        try Data(fleet.utf8).write(to: URL(fileURLWithPath: "\(directory)/fleet.toml"))
        let configuration = URL(fileURLWithPath: "\(directory)/spschedd.toml")
        try Data("[arbiter]\nfloor_share = \"20%\"\n".utf8).write(to: configuration)
        let command = try CommandProcess(["plan", "\(directory)/fleet.toml", "--seconds", "0"])
        #expect(command.waitForEnd() == 0, "\(command.standardError())")
        try Data("[arbiter]\nfloor_shore = \"20%\"\n".utf8).write(to: configuration)
        let mistaken = try CommandProcess(["plan", "\(directory)/fleet.toml", "--seconds", "0"])
        #expect(mistaken.waitForEnd() == 78)
        #expect(mistaken.standardError().contains("spschedd.toml:2: arbiter.floor_shore: unknown key"))
    }

    @Test func `Progress is told on standard error alone`() throws {
        let command = try plan(reserving(3))
        #expect(command.standardError().hasPrefix("[1/1] 3 VMs in virtual time, 40.0 s\n"))
        #expect(!command.standardOutput().contains("virtual time"))
    }

    @Test func `Help explains with a fleet and the exit codes`() throws {
        let command = try CommandProcess(["plan", "--help"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        for part in ["[[group]]", "launches_per_minute", "--report", "Exit codes: 0 the fleet is admitted"] {
            #expect(output.contains(part), "\(part)")
        }
    }
}
