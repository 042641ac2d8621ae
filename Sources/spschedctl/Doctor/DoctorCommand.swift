import ArgumentParser
import LinuxIO
import Reporting

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at this host, and say what spschedd can enforce on it.",
        discussion: """
            Asks neither the daemon nor the device. Exit status: 0 all is well, 1 something can be evaded or is less \
            than it could be, 2 there is nothing to schedule, or it cannot be.

            VERDICT is ok, note (worth knowing), warning (something can be evaded, and a person can change that) or \
            problem (there is nothing to schedule, or it cannot be); MEANING says why, and what to do. Run it as root: \
            other accounts do not see who holds the device open. The checks:

              kernel             whether it hosts SNP guests, and what can take turns
              CPU                whether it has SEV-SNP
              SNP                whether it is switched on, and if not, what is in the way
              KVM_SEV_SNP_ENABLE_REQ_CERTS
                                 whether KVM lets VMMs hold back reports (Linux 7.0)
              /dev/sev           whether the device is there, and who may open it
              held open by       which processes have it open, and whether for writing
              ASIDs              how many SEV-ES and SNP guests the hardware admits
              kernel's own limit whether a patched kernel limits guests' requests, too
              command time-out   for how long a hung command holds up all others
              spschedd           whether the VMMs' socket is there
            """)

    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// For tests: another host's files.
    @Option(help: .hidden)
    var root = ""

    func run() throws {
        let findings = Doctor(host: HostView(root: root)).findings
        StandardOutput.print(json ? Format.json(findings) : DoctorText(findings).text)
        let status = DoctorText.status(findings)
        if status != 0 { throw ExitCode(status) }
    }
}

/// `doctor` for people: a line for each finding, and what it means below it.
struct DoctorText {
    let findings: [Finding]

    init(_ findings: [Finding]) { self.findings = findings }

    var text: String {
        var table = Table([.left("CHECK"), .left("FOUND"), .left("VERDICT"), .left("MEANING")])
        for finding in findings {
            table.append([finding.check, finding.found, finding.verdict.rawValue, finding.meaning])
        }
        return table.text
    }

    static func status(_ findings: [Finding]) -> Int32 {
        if findings.contains(where: { $0.verdict == .problem }) { return 2 }
        return findings.contains { $0.verdict == .warning } ? 1 : 0
    }
}
