import ArgumentParser
import LinuxIO
import Reporting

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at this host, and say what spschedd can enforce on it.",
        discussion: """
            Asks neither the daemon nor the device. Exit status: 0 all is well, 1 something can be evaded or is less \
            than it could be, 2 there is nothing to schedule, or it cannot be.
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
