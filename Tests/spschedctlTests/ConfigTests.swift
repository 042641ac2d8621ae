import Foundation
import Testing

/// Goal: an operator sees what the daemon would go by, and who wrote it. Method: the program itself, on a system in a
/// directory.
@Suite final class ConfigTests {
    private let root = "/tmp/spschedctl-config-\(UUID().uuidString.prefix(8))"

    init() throws {
        try write("/usr/lib/spschedd/spschedd.toml", "# The vendor's.\n[arbiter]\nhold = \"4ms\"\nchunk_pages = 16\n\n")
        try write("/etc/spschedd/spschedd.toml.d/50-site.toml", "[arbiter]\nchunk_pages = 32\n")
        try write("/usr/lib/spschedd/spschedd.toml.d/50-site.toml", "[arbiter]\nchunk_pages = 8\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ path: String, _ text: String) throws {
        let file = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func config(_ arguments: String...) throws -> CommandProcess {
        let command = try CommandProcess(["config"] + arguments)
        _ = command.waitForEnd()
        return command
    }

    private func json(_ command: CommandProcess) throws -> [String: Any] {
        let data = Data(command.standardOutput().utf8)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `cat prints the files in their order, each under its name`() throws {
        let command = try config("cat", "--root", root)
        #expect(
            command.standardOutput() == """
                # \(root)/usr/lib/spschedd/spschedd.toml
                # The vendor's.
                [arbiter]
                hold = "4ms"
                chunk_pages = 16

                # \(root)/etc/spschedd/spschedd.toml.d/50-site.toml
                # (in place of \(root)/usr/lib/spschedd/spschedd.toml.d/50-site.toml)
                [arbiter]
                chunk_pages = 32

                """)
        let files = try #require(try json(config("cat", "--root", root, "--json"))["files"] as? [[String: Any]])
        #expect(files.count == 2 && files[1]["text"] as? String == "[arbiter]\nchunk_pages = 32\n")
        try write("/etc/spschedd/spschedd.toml", "")
        #expect(
            try config("cat", "--root", root + "/").standardOutput().hasPrefix(
                """
                # \(root)/etc/spschedd/spschedd.toml
                # (masks \(root)/usr/lib/spschedd/spschedd.toml)

                # \(root)/etc
                """))
    }

    @Test func `check prints every setting with its origin`() throws {
        let command = try config("check", "--root", root)
        #expect(command.waitForEnd() == 0)
        let output = command.standardOutput()
        #expect(output.contains("# from \(root)/usr/lib/spschedd/spschedd.toml:3\nhold = \"4ms\"\n"))
        #expect(output.contains("default \"950ms\"\ncapacity = \"950ms\"\n"))
        let settings = try #require(try json(config("check", "--root", root, "--json"))["settings"] as? [[String: Any]])
        let chunk = try #require(settings.first { $0["key"] as? String == "arbiter.chunk_pages" })
        #expect(chunk["value"] as? Int == 32 && chunk["default"] as? Int == 32)
        #expect(
            chunk["origins"] as? [String] == [
                "\(root)/usr/lib/spschedd/spschedd.toml:4", "\(root)/etc/spschedd/spschedd.toml.d/50-site.toml:2",
            ])
    }

    @Test func `diff shows what differs from the defaults, and where it was written`() throws {
        #expect(
            try config("diff", "--root", root).standardOutput() == """
                SETTING       VALUE  DEFAULT  WRITTEN IN
                arbiter.hold  "4ms"  "5ms"    \(root)/usr/lib/spschedd/spschedd.toml:3

                """)
        let settings = try #require(try json(config("diff", "--root", root, "--json"))["settings"] as? [[String: Any]])
        #expect(settings.count == 1 && settings[0]["value"] as? String == "4ms")
        #expect(try config("diff", "--config", "/dev/null").standardOutput() == "Every setting has its default.\n")
    }

    @Test(arguments: ["check", "diff"])
    func `Mistakes end it with 78, for people and for programs`(command: String) throws {
        try write("/etc/spschedd/spschedd.toml.d/60-bad.toml", "[arbiter]\n\nhodl = \"4ms\"\n")
        let file = "\(root)/etc/spschedd/spschedd.toml.d/60-bad.toml"
        let told = try config(command, "--root", root)
        #expect(told.waitForEnd() == 78 && told.standardOutput().isEmpty)
        #expect(told.standardError() == "\(file):3: arbiter.hodl: unknown key; did you mean arbiter.hold?\n")
        let programs = try config(command, "--root", root, "--json")
        #expect(programs.waitForEnd() == 78)
        let problem = try #require((try json(programs)["problems"] as? [[String: Any]])?.first)
        #expect(problem["file"] as? String == file && problem["line"] as? Int == 3)
        #expect(problem["key"] as? String == "arbiter.hodl")
        #expect(try config("cat", "--root", root).waitForEnd() == 0)
    }

    @Test func `Users and groups that this host has not are mistakes, each told with its line`() throws {
        let file = "\(root)/etc/spschedd/spschedd.toml.d/60-names.toml"
        try write(
            "/etc/spschedd/spschedd.toml.d/60-names.toml",
            """
            [manager]
            socket_group = "no-such-admins"
            [policy.known]
            groups = ["root", "12345"]
            [policy.tenants]
            users = ["root", "no-such-user"]
            groups = ["no-such-group"]
            """)
        let command = try config("check", "--config", file)
        #expect(command.waitForEnd() == 78 && command.standardOutput().isEmpty)
        let told = command.standardError().split(separator: "\n").map(String.init)
        let mistakes = [
            "2: manager.socket_group: there is no group 'no-such-admins'",
            "6: policy.tenants.users: there is no user 'no-such-user'",
            "7: policy.tenants.groups: there is no group 'no-such-group'",
        ]
        #expect(told == mistakes.map { "\(file):\($0) on this host: create it, or name another" })
        // One user under a name and a number, in two policies.
        try write(
            "/etc/spschedd/spschedd.toml.d/60-names.toml",
            "[policy.a]\nusers = [\"root\"]\n[policy.b]\nusers = [7, 0]\n")
        let twice = try config("check", "--config", file)
        #expect(twice.waitForEnd() == 78)
        let sentence = "the user '0' is uid 0, whom policy 'a' names as 'root': name it in one of them"
        #expect(twice.standardError() == "\(file):4: policy.b.users: \(sentence)\n")
        // They may be there in the system that lies in the directory.
        let elsewhere = try config("check", "--root", root)
        #expect(elsewhere.waitForEnd() == 0 && elsewhere.standardError().contains("were not looked up"))
    }
}
