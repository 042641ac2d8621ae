import DeviceTestSupport
import Foundation
import LinuxIO
import Testing

@testable import spschedd

@Suite("On the command line", .timeLimit(.minutes(10)))
struct CommandLineTests {
    @Test("a wrong configuration ends it with 78 and every mistake, in --check-config and in earnest")
    func wrongConfiguration() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("bad.toml")
        try "[arbiter]\nchunk_page = 3\nhold = 5\n".write(toFile: file, atomically: false, encoding: .utf8)
        for arguments in [["--config", file, "--check-config"], ["--config", file]] {
            let run = try ShortRun(arguments)
            #expect(run.code == EX_CONFIG)
            #expect(run.output.isEmpty)
            #expect(
                run.errors.contains("\(file):2: arbiter.chunk_page: unknown key; did you mean arbiter.chunk_pages?"))
            #expect(run.errors.contains("\(file):3: arbiter.hold: expected a duration"))
        }
    }

    @Test("a configuration file that is named and not there is an error")
    func missingConfiguration() throws {
        let run = try ShortRun(["--config", "/nonexistent/spschedd.toml", "--check-config"])
        #expect(run.code == EX_CONFIG)
        #expect(run.errors.contains("/nonexistent/spschedd.toml: could not be read: No such file or directory"))
    }

    @Test("--check-config prints the whole configuration, which is a configuration")
    func checkConfiguration() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("good.toml")
        try "[arbiter]\nchunk_pages = 16\n".write(toFile: file, atomically: false, encoding: .utf8)
        let first = try ShortRun(["--config", file, "--check-config"])
        #expect(first.code == 0)
        #expect(first.output.contains("\nchunk_pages = 16\n"))
        #expect(first.output.contains("\n# from \(file):2\nchunk_pages = 16\n"))
        try first.output.write(toFile: file, atomically: false, encoding: .utf8)
        func withoutOrigins(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { !$0.hasPrefix("# from ") }
        }
        let second = try ShortRun(["--config", file, "--check-config"]).output
        #expect(withoutOrigins(second) == withoutOrigins(first.output))
    }

    @Test("the configuration that is shipped has no mistake")
    func shippedConfiguration() throws {
        let directory = try TemporaryDirectory()
        let (places, files) = (URL(filePath: directory.file("etc/spschedd/spschedd.toml.d")), FileManager.default)
        try files.createDirectory(at: places, withIntermediateDirectories: true)
        for file in ["spschedd.toml", "spschedd.toml.d/10-groups.toml"] {
            let shipped = URL(filePath: #filePath).deletingLastPathComponent().appending(
                path: "../../../packaging/\(file)")
            try files.copyItem(
                at: shipped.standardizedFileURL, to: URL(filePath: directory.file("etc/spschedd/\(file)")))
        }
        // As another system's: the groups that it names may be none of this host's.
        let run = try ShortRun(["--root", directory.path, "--check-config"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("[arbiter]\n") && run.output.contains("\"spschedd-admin\"\n"))
    }

    @Test("--capabilities is JSON that names the protocol's version, its features and the limits")
    func capabilities() throws {
        let run = try ShortRun(["--capabilities", "--config", "/dev/null"])
        #expect(run.code == 0)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let vmm = try #require(object["vmm_protocol"] as? [String: Any])
        #expect(vmm["version_max"] as? Int == 1)
        #expect((vmm["features"] as? [String: Int])?["release_and_acquire"] == 2)
        #expect((object["limits"] as? [String: Int])?["vms"] == 1_024)
    }

    @Test("--check-host says in one line why there is nothing to schedule, whatever the configuration")
    func checkHost() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("bad.toml")
        try "[no-such-table]\n".write(toFile: file, atomically: false, encoding: .utf8)
        let missing = directory.file("none")
        let run = try ShortRun(["--check-host", "--config", file, "--device", missing])
        #expect(run.code == 1)
        #expect(run.errors.hasPrefix("spschedd: notice: Not started: \(missing) does not exist: "))
        #expect(run.errors.split(separator: "\n").count == 1)

        let emulator = try UnixListener(path: directory.file("emulator"), kind: .seqpacket)
        #expect(try ShortRun(["--check-host", "--device", directory.file("emulator")]).code == 0)
        withExtendedLifetime(emulator) {}
    }

    @Test(
        "a device on a processor with SNP is worth a start, and so is an emulated one on any",
        arguments: [
            (FileKind.characterDevice, true, true), (.characterDevice, false, false), (.socket, false, true),
            (nil, true, false),
        ])
    func hostIsJudged(kind: FileKind?, processorHasSNP: Bool, isWorthStarting: Bool) {
        let check = HostCheck.judge("/dev/sev", kind: kind, processorHasSNP: processorHasSNP)
        guard case .nothingToSchedule(let reason) = check else {
            #expect(isWorthStarting)
            return
        }
        #expect(!isWorthStarting && reason.contains(kind == nil ? "/dev/sev" : "SEV-SNP"))
    }

    @Test("a group that there is not ends it with 78, and is named")
    func unknownGroup() throws {
        let directory = try TemporaryDirectory()
        try "[vmm]\nsocket_group = \"no-such-group\"\n"
            .write(toFile: directory.file("t.toml"), atomically: false, encoding: .utf8)
        let run = try ShortRun([
            "--config", directory.file("t.toml"), "--socket", directory.file("vmm"), "--manager-socket",
            directory.file("manager"),
        ])
        #expect(run.code == EX_CONFIG)
        #expect(run.errors.contains("t.toml:2: vmm.socket_group: there is no group 'no-such-group'"))
        let check = try ShortRun(["--check-config", "--config", directory.file("t.toml")])
        #expect(check.code == EX_CONFIG && check.errors.contains("there is no group 'no-such-group'"))
    }

    @Test("a wrong option ends it with 64, and --version tells the version")
    func usage() throws {
        #expect(try ShortRun(["--no-such-option"]).code == EX_USAGE)
        let version = try ShortRun(["--version"])
        #expect(version.code == 0)
        #expect(!version.output.isEmpty)
    }
}
