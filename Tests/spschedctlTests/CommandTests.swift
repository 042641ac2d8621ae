import Foundation
import Testing

/// Goal: a user gets what was asked for, a sentence where that cannot be, and nothing is left behind. Method: the
/// program itself, with real servers and VM processes.
@Suite struct CommandTests {
    @Test func `A short demo loses no key, has the shape, and leaves no process and no file`() throws {
        let command = try CommandProcess([
            "demo", "--policy", "mutex,spschedd", "--antagonists", "0,4", "--seconds", "1", "--json", "--report",
            "REPORT",
        ])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0, "\(command.standardError())")
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: [[String: Any]]])
        let runs = try #require(json["runs"])
        #expect(runs.map { $0["policy"] as? String } == ["mutex", "mutex", "spschedd", "spschedd"])
        #expect(runs.map { $0["antagonists"] as? Int } == [0, 4, 0, 4])
        #expect(runs.allSatisfy { $0["lost_vmpck"] as? Int == 0 })
        // Three limits, two VMs of each of three weights, 64 reservations.
        #expect(json["budget"]?.count == 73)
        #expect(try String(contentsOfFile: command.file("REPORT"), encoding: .utf8).hasSuffix("</html>\n"))
        command.expectNothingLeft()
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `A signal ends the demo in order`(signal: Int32) throws {
        let command = try CommandProcess(["demo", "--policy", "spschedd", "--antagonists", "8", "--seconds", "600"])
        // The scene has begun: every server and VM is there.
        #expect(try command.errorLine().hasPrefix("[1/2] spschedd, 8 antagonists"))
        #expect(!command.processesLeft().isEmpty)
        command.signal(signal)
        #expect(command.waitForEnd() == 128 + signal)
        #expect(command.standardError().contains("interrupted"))
        command.expectNothingLeft()
    }

    @Test func `VMs and servers die with a demo that is killed`() throws {
        let command = try CommandProcess(["demo", "--policy", "spschedd", "--antagonists", "8", "--seconds", "600"])
        _ = try command.errorLine()
        command.signal(SIGKILL)
        #expect(command.waitForEnd() == -SIGKILL)
        command.waitUntilNoProcessIsLeft()
    }

    @Test(arguments: [
        (["demo", "--antagonists", "257"], "0 to 256"),
        (["demo", "--antagonists", "0,,4"], "no number of antagonists"),
        (["demo", "--policy", "luck"], "no policy 'luck'"), (["demo", "--profile", "x"], "vmm-64p"),
        (["demo", "--seconds", "0"], "1 to 3600"), (["demo", "--frobnicate"], "frobnicate"),
    ])
    func `A wrong option is named, with what would be right`(arguments: [String], sentence: String) throws {
        let command = try CommandProcess(arguments)
        #expect(command.waitForEnd() == 64)
        let error = command.standardError()
        #expect(error.contains(sentence), "\(error)")
    }

    @Test(arguments: ["status", "list"])
    func `An absent daemon is named with its socket and what to do`(subcommand: String) throws {
        let command = try CommandProcess([subcommand, "--manager-socket", "/nonexistent/manager.sock"])
        #expect(command.waitForEnd() == 69)
        let error = command.standardError()
        #expect(error.contains("/nonexistent/manager.sock") && error.contains("systemctl status spschedd"))
    }

    @Test func `A program that is missing is named with where it should be`() throws {
        let command = try CommandProcess(["demo", "--policy", "mutex"], isCopied: true)
        #expect(command.waitForEnd() == 69)
        #expect(command.standardError().contains("'sp-emulator' is not in \(command.directory)"))
    }

    @Test func `Every exit status that the commands use is in the help`() throws {
        let command = try CommandProcess(["--help"])
        let help = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        let documented = Set(help.matches(of: /\n +(\d+)  +\S/).compactMap { Int32($0.output.1) })
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/spschedctl")
        var names: Set<String> = []
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            names.formUnion(text.matches(of: /\bEX_[A-Z]+\b/).map { String($0.output) })
        }
        let numbers: [String: Int32] = [
            "EX_CANTCREAT": EX_CANTCREAT, "EX_CONFIG": EX_CONFIG, "EX_DATAERR": EX_DATAERR, "EX_IOERR": EX_IOERR,
            "EX_NOINPUT": EX_NOINPUT, "EX_NOPERM": EX_NOPERM, "EX_OSERR": EX_OSERR, "EX_PROTOCOL": EX_PROTOCOL,
            "EX_SOFTWARE": EX_SOFTWARE, "EX_TEMPFAIL": EX_TEMPFAIL, "EX_UNAVAILABLE": EX_UNAVAILABLE,
            "EX_USAGE": EX_USAGE,
        ]
        #expect(names.count > 8)
        for name in names {
            let number = try #require(numbers[name], "\(name) is new: give its number here")
            #expect(documented.contains(number), "\(name), \(number), is not in ExitStatuses")
        }
    }

    @Test func `Metrics have one form, and no other is offered`() throws {
        let help = try CommandProcess(["metrics", "--help"])
        let text = help.standardOutput()
        #expect(help.waitForEnd() == 0 && text.contains("--textfile") && !text.contains("--json"))
    }

    @Test func `Help lists what there is, and not the demo's VMs`() throws {
        let command = try CommandProcess(["--help"])
        let output = command.standardOutput()
        #expect(command.waitForEnd() == 0)
        for word in ["demo", "status", "list", "--version"] { #expect(output.contains(word)) }
        #expect(!output.contains("demo-vm"))
    }
}
