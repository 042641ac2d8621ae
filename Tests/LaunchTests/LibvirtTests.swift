import DeviceTestSupport
import Foundation
import HostileSupport
import Testing

/// Goal: a domain of libvirt is started paused and resumed inside its turn; what virsh says is shown. Method: as
/// `LaunchTests`, with a script in virsh's place that notes its calls. No libvirt was here.
@Suite(.timeLimit(.minutes(10)))
struct LibvirtTests {
    /// What a test makes of `virsh`: lines of a shell's `case`.
    private func run(
        _ scene: LaunchScene, _ cases: [String: String] = [:], arguments: [String] = [], pages: Int = 40
    ) throws -> BuiltProcess {
        var commands = [
            "domuuid": "echo \(LaunchScene.uuid)", "start": "echo \"Domain 'web-3' started\"",
            "resume": ": >\"$0-resumed\"; echo \"Domain 'web-3' resumed\"",
            "domstate": "if [ -e \"$0-resumed\" ]; then echo running; else echo paused; fi",
        ]
        commands.merge(cases) { $1 }
        // `$LC_ALL`: what is read of virsh's answers is not translated.
        let script = """
            #!/bin/sh
            echo "$LC_ALL $*" >>"$0-calls"
            [ "$1" != --connect ] || shift 2
            case $1 in
            \(commands.sorted { $0.key < $1.key }.map { "\($0.key)) \($0.value) ;;" }.joined(separator: "\n"))
            esac
            """
        try script.write(toFile: scene.directory.file("virsh"), atomically: false, encoding: .utf8)
        #expect(chmod(scene.directory.file("virsh"), 0o755) == 0)
        return try BuiltProcess(
            "spschedctl",
            ["launch", "--libvirt", "web-3", "--pages", "\(pages)", "--socket", scene.host.socketPath] + arguments,
            environment: ["PATH": "\(scene.directory.path):/usr/bin:/bin"])
    }

    private func calls(_ scene: LaunchScene) -> [String] {
        let text = (try? String(contentsOfFile: scene.directory.file("virsh-calls"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    @Test func `The domain is started paused, and resumed inside its turn`() throws {
        let scene = try LaunchScene()
        let resume = "cp /dev/null \"$0-resuming\"; read line <\"$0-gate\"; : >\"$0-resumed\""
        #expect(mkfifo(scene.directory.file("virsh-gate"), 0o600) == 0)
        let launch = try run(scene, ["resume": resume], arguments: ["--connect", "test:///default", "--vcpus", "2"])
        // virsh waits in the FIFO until it is opened for writing.
        let gate = open(scene.directory.file("virsh-gate"), O_WRONLY)
        let during = try scene.host.status()
        #expect(during.turn?.kind == "whole_launch" && during.turn?.vm == "web-3")
        #expect(try scene.host.listVMs().first?.uuid == LaunchScene.uuid)
        #expect(write(gate, "on\n", 3) == 3)
        close(gate)
        let ending = Ending(launch)
        #expect(ending.status == 0 && ending.output.hasPrefix("web-3 is running; it waited"), "\(ending)")
        #expect(
            calls(scene) == [
                "C --connect test:///default domuuid --domain web-3",
                "C --connect test:///default start --paused --domain web-3",
                "C --connect test:///default resume --domain web-3",
                "C --connect test:///default domstate --domain web-3",
            ])
        #expect(try scene.host.status().turn == nil)
    }

    @Test(
        arguments: [
            (
                ["domuuid": "echo \"error: failed to get domain 'web-3'\" >&2; exit 1"], EX_PROTOCOL,
                "failed to get domain"
            ),
            (["domuuid": "echo nonsense"], EX_PROTOCOL, "did not answer with a UUID but with \"nonsense\""),
            (["domuuid": "echo; yes nonsense"], EX_PROTOCOL, "has not ended for 2.0 s"),
            (["start": "echo 'error: Domain is already active' >&2; exit 1"], EX_PROTOCOL, "already active"),
            (["resume": "echo 'error: refused' >&2; exit 1"], EX_SOFTWARE, "The domain is left paused"),
            (
                ["resume": "echo 'error: end of file' >&2; exit 1", "domstate": "echo shut off"], EX_SOFTWARE,
                "QEMU has ended"
            ),
            (["resume": "exit 1", "domstate": "exit 1"], EX_IOERR, "may still be launching"),
            (["resume": ":"], EX_SOFTWARE, "was never let run"),
            (["resume": "exec cat \"$0\" /dev/zero"], EX_IOERR, "has not ended for"),
        ] as [([String: String], Int32, String)])
    func `What goes wrong is told in virsh's words, and no turn is kept beyond its lease`(
        cases: [String: String], status: Int32, words: String
    ) throws {
        let scene = try LaunchScene()
        let ending = Ending(try run(scene, cases, arguments: ["--patience-seconds", "2"], pages: 1))
        #expect(ending.status == status && ending.errors.contains(words), "\(ending)")
        #expect(ending.errors.utf8.count < 1_000)
        #expect(try scene.comes { $0.turn == nil })
    }

    @Test func `Without virsh it is told what to install`() throws {
        let scene = try LaunchScene()
        let launch = try BuiltProcess(
            "spschedctl", ["launch", "--libvirt", "web-3", "--pages", "1"],
            environment: ["PATH": scene.directory.path])
        let ending = Ending(launch)
        #expect(ending.status == EX_PROTOCOL && ending.errors.contains("apt-get install libvirt-clients"), "\(ending)")
    }
}
