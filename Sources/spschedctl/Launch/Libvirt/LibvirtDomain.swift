import Arbiter
import LinuxIO

/// A domain of libvirt: started paused, which is QEMU's `-S`, and resumed inside its turn.
struct LibvirtDomain: PausedMachine {
    let domain: String
    let name: String?
    let virsh: Virsh
    /// For each command but `resume`.
    let patience: Nanoseconds

    mutating func identify() throws(LaunchProblem) -> MachineIdentity {
        let text = try before { () throws(Virsh.Fault) in try ask("domuuid") }
        guard let uuid = MachineUUID(text) else {
            throw .libvirt("'virsh domuuid' did not answer with a UUID but with \"\(String.foreign(text))\"")
        }
        return MachineIdentity(uuid: uuid, name: name ?? domain)
    }

    /// libvirt starts QEMU, which issues LAUNCH_START before it pauses: that is no part of the turn.
    mutating func prepare() throws(LaunchProblem) {
        _ = try before { () throws(Virsh.Fault) in
            try virsh.run("start", ["--paused", "--domain", domain], patience: patience)
        }
    }

    var newsDescriptor: Int32? { nil }

    mutating func readNews() {}

    mutating func resume(patience: Nanoseconds) throws(LaunchProblem) {
        do {
            _ = try virsh.run("resume", ["--domain", domain], patience: patience)
        } catch .interrupted(let signal) {
            throw .abandoned(signal: signal)
        } catch .failed(_, let text) {
            try judge("'virsh resume' failed: \(text)")
        } catch .notStarted(let error) {
            throw .libvirt("\(error). The domain is left paused")
        } catch {
            throw .lost("\(error). The domain may still be launching")
        }
    }

    /// Whether a resume that failed is over: virsh may have lost its connection to a libvirt that goes on.
    private func judge(_ complaint: String) throws(LaunchProblem) {
        switch try? ask("domstate") {
        case "paused": throw .failed("\(complaint). The domain is left paused")
        case "shut off", "crashed": throw .failed("\(complaint). QEMU has ended: see its log, in /var/log/libvirt/qemu")
        default: throw .lost("\(complaint). The domain may still be launching")
        }
    }

    mutating func confirm() throws(LaunchProblem) -> RunningMachine {
        let state: String
        do {
            state = try ask("domstate")
        } catch {
            throw .lost("libvirt says that it let the domain run, and no more: \(error)")
        }
        guard state != "paused" else {
            throw .failed("'virsh resume' succeeded, but the domain is 'paused' and was never let run")
        }
        return RunningMachine(state: String.foreign(state), resumedAt: nil)
    }

    private func ask(_ command: String) throws(Virsh.Fault) -> String {
        try virsh.run(command, ["--domain", domain], patience: patience)
    }

    private func before<Answer>(_ step: () throws(Virsh.Fault) -> Answer) throws(LaunchProblem) -> Answer {
        do {
            return try step()
        } catch .interrupted(let signal) {
            throw .interrupted(signal: signal)
        } catch {
            throw .libvirt("\(error)")
        }
    }
}
