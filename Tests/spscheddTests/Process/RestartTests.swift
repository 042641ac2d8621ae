import DeviceTestSupport
import Foundation
import Testing

/// Goal: whatever ends the daemon, and whenever, its clients notice a pause and nothing else.
/// Method: `restart-trial` (Tests/Restart), with a service manager of its own that keeps descriptors, VM processes on
/// libspsched that watch each other's turns in shared memory, and a daemon that is killed and restarted under them.
@Suite("Restart", .timeLimit(.minutes(10)))
struct RestartTests {
    private struct Trial {
        let code: Int32
        let output: String
        let errors: String

        init(_ arguments: [String]) throws {
            let daemon = BuiltProcess.path(of: "spschedd")
            let process = try BuiltProcess("restart-trial", ["--daemon", daemon] + arguments)
            output = process.rest()
            code = process.waitForEnd()
            errors = process.standardError
        }

        var whole: Comment { "\(output)\(errors)" }
    }

    @Test("kills, restarts and every failpoint: no registration lost, no error, no turn granted twice, no key lost")
    func everyWay() throws {
        let trial = try Trial(["--vms", "20", "--kills", "8", "--restarts", "6", "--failpoints", "18"])
        #expect(trial.code == 0, trial.whole)
        #expect(trial.output.contains("lost registrations: 0\n"), trial.whole)
        #expect(trial.output.contains("lost VMPCKs: 0\n"), trial.whole)
        #expect(trial.output.contains("registrations resumed by token: 0\n"), "all connections were kept")
    }

    /// A daemon whose descriptors were shifted by one served VMs on each other's connections, and one on none.
    @Test("a trial that was started with descriptors open hands on its own, and those only")
    func foreignDescriptors() throws {
        let arguments = ["--vms", "5", "--kills", "3", "--restarts", "0", "--failpoints", "0"]
        let programs = [BuiltProcess.path(of: "restart-trial"), "--daemon", BuiltProcess.path(of: "spschedd")]
        // With 5 VMs, a state and two listeners the trial duplicates from descriptor 80 on.
        let shell = ["-c", "exec 83</dev/null; exec \"$@\"", "bash"]
        let process = try BuiltProcess("/bin/bash", shell + programs + arguments)
        let output = process.rest()
        #expect(process.waitForEnd() == 0, "\(output)\(process.standardError)")
        #expect(output.contains("registrations resumed by token: 0\n"), "\(output)")
    }

    @Test("a state that is damaged or newer is set aside, and VMs register anew without an error")
    func spoiltState() throws {
        let trial = try Trial(["--vms", "5", "--kills", "1", "--restarts", "0", "--failpoints", "0", "--spoilt", "2"])
        #expect(trial.code == 0, trial.whole)
    }

    @Test("with no service manager VMs come back by their token, and are told that they are new")
    func withoutManager() throws {
        let trial = try Trial([
            "--vms", "5", "--kills", "2", "--restarts", "1", "--failpoints", "0", "--forgetful", "1",
        ])
        #expect(trial.code == 0, trial.whole)
        #expect(trial.output.contains("connections asked after a restart: 0;"), trial.whole)
    }
}
