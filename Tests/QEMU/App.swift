import Arbiter
import DeviceTestSupport
import Foundation
import HostileSupport

/// Launches real QEMUs, unchanged and emulating their CPUs, through `spschedctl launch` and a real daemon while other
/// VMs attest in a loop. Their SEV is none: what is shown is the order of launches, that a VM runs inside its turn and
/// not before, and what becomes of QEMUs that die, run already or are somebody else's.
@main
enum App {
    /// As many at once as the project promises to have tried.
    private static let machines = 8
    private static let antagonists = 4

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        guard let emulator = Machine.emulator else {
            fail("no qemu-system-x86_64 on PATH. On Debian: apt-get install qemu-system-x86", EX_UNAVAILABLE)
        }
        do { try run(emulator) } catch { fail("\(error)", EX_SOFTWARE) }
    }

    private static func fail(_ sentence: String, _ status: Int32) -> Never {
        FileHandle.standardError.write(Data("qemu-launches: \(sentence)\n".utf8))
        exit(status)
    }

    private static func run(_ emulator: String) throws {
        let scene = try Scene(emulator: emulator, antagonists: antagonists)
        try CrowdTrial(scene: scene).run(machines)
        try TroubleTrial(scene: scene).run()
        let reports = try scene.endAntagonists()
        try expect(reports >= antagonists, "the antagonists got \(reports) reports")
        try expect(try scene.host.comes(within: .seconds(60)) { status, _ in status.turn == nil }, "a turn is left")
        print(
            "ok: \(machines) QEMUs launched first come, first served, each running inside its turn;",
            "\(antagonists) VMs got \(reports) reports meanwhile")
    }
}

/// Ends the program with a sentence unless it holds.
func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
    guard holds else { throw ProcessError(sentence()) }
}
