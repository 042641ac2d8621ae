import Foundation
import Testing

@testable import spschedctl

/// Goal: an operator learns what holds on this host and what does not, and why. Method: the files of several hosts, of
/// which each differs from a good one in what the test is about.
@Suite struct DoctorTests {
    @Test func `A good host on Linux 7 has nothing to mend`() throws {
        let host = try FixtureHost()
        let findings = host.findings(.exists)
        #expect(!findings.contains { $0.verdict == .warning || $0.verdict == .problem }, "\(findings)")
        #expect(DoctorText.status(findings) == 0)
        #expect(host.finding("ASIDs")?.found == "99, 3 in use")
        #expect(host.finding("command time-out")?.found == "100 s")
    }

    @Test func `Before Linux 7 reports are out of reach, which is a warning`() throws {
        let host = try FixtureHost(["/proc/sys/kernel/osrelease": "6.12.48+deb13-amd64"])
        #expect(host.finding("kernel", .doesNotExist)?.verdict == .note)
        let certificates = try #require(host.finding("KVM_SEV_SNP_ENABLE_REQ_CERTS", .doesNotExist))
        #expect(certificates.verdict == .warning && certificates.meaning.contains("7.0"))
        #expect(DoctorText.status(host.findings(.doesNotExist)) == 1)
        #expect(host.finding("KVM_SEV_SNP_ENABLE_REQ_CERTS", .unknown("so"))?.meaning.contains("so") == true)
    }

    @Test(
        arguments: [
            (["/proc/sys/kernel/osrelease": "6.1.0-9-amd64"], "kernel", "6.11"),
            (["/proc/cpuinfo": "vendor_id : GenuineIntel\nflags : fpu\n"], "CPU", "no AMD Secure Processor"),
            (["/proc/cpuinfo": "vendor_id : AuthenticAMD\nflags : fpu sev\n"], "CPU", "EPYC 7003"),
            (["/dev/sev": nil], "/dev/sev", "load ccp"),
            (["/sys/fs/cgroup/misc.capacity": "sev 500\nsev_es 0\n"], "ASIDs", "least SEV ASID"),
        ] as [([String: String?], String, String)])
    func `What makes scheduling impossible is a problem`(
        changes: [String: String?], check: String, words: String
    ) throws {
        let host = try FixtureHost(changes)
        let finding = try #require(host.finding(check))
        #expect(finding.verdict == .problem && finding.meaning.contains(words), "\(finding)")
        #expect(DoctorText.status(host.findings(.exists)) == 2)
    }

    @Test(
        arguments: [
            (["/sys/module/kvm_amd": nil], "kvm_amd is not loaded"),
            (["/sys/module/kvm_amd/parameters/sev_snp": nil], "knows no SNP"),
            (["/proc/cpuinfo": "vendor_id : AuthenticAMD\nflags : sev\n"], "machine's set-up"),
            (["/proc/cmdline": "quiet iommu=pt"], "IOMMU"),
            (["/sys/module/kvm_amd/parameters/sev_es": "N"], "sev_es=0"),
            (["/proc/cmdline": "quiet kvm_amd.sev_snp=0"], "kvm_amd.sev_snp=0"), (["/dev/sev": nil], "load ccp"),
            ([:], "RMP coverage"),
        ] as [([String: String?], String)])
    func `SNP that is off is told with the likeliest reason`(changes: [String: String?], words: String) throws {
        let off: [String: String?] = ["/sys/module/kvm_amd/parameters/sev_snp": "N"]
        let host = try FixtureHost(off.merging(changes) { $1 })
        let finding = try #require(host.finding("SNP"))
        #expect(finding.verdict == .problem && finding.meaning.contains(words), "\(finding)")
    }

    @Test func `Who holds the device is named, and a VMM that may write is a warning`() throws {
        let host = try FixtureHost()
        #expect(host.finding("held open by")?.found == "spschedd (pid 40, read-only)")
        try host.addHolder(41, "qemu-system-x86", flags: "0100002")
        let finding = try #require(host.finding("held open by"))
        #expect(finding.found == "spschedd (pid 40, read-only), qemu-system-x86 (pid 41, read-write)")
        #expect(finding.verdict == .warning && finding.meaning.contains("qemu-system-x86 can reset"))
        let readers = try FixtureHost()
        try readers.addHolder(42, "vmm", flags: "0100000")
        #expect(readers.finding("held open by")?.meaning.contains("SNP_COMMIT") == true)
    }

    @Test func `A device that everybody may open, a limit of the kernel's, and no daemon are told`() throws {
        let host = try FixtureHost([
            "/sys/module/kvm_amd/parameters/sev_snp_request_ratelimit_khz": "1", "/run/spschedd/vmm/sock": nil,
        ])
        #expect(chmod(host.root + "/dev/sev", 0o666) == 0)
        #expect(host.finding("/dev/sev")?.verdict == .warning)
        #expect(host.finding("kernel's own limit")?.found == "sev_snp_request_ratelimit_khz=1")
        #expect(host.finding("spschedd")?.verdict == .warning)
    }

    @Test func `The command prints a table or JSON, and ends with the status`() throws {
        let host = try FixtureHost(["/dev/sev": nil])
        let table = try CommandProcess(["doctor", "--root", host.root])
        #expect(table.waitForEnd() == 2)
        #expect(table.standardOutput().contains("/dev/sev"))
        let json = try CommandProcess(["doctor", "--root", host.root, "--json"])
        #expect(json.waitForEnd() == 2)
        let findings = try #require(
            try JSONSerialization.jsonObject(with: Data(json.standardOutput().utf8)) as? [[String: String]])
        #expect(findings.count == host.findings(.exists).count)
        #expect(findings.allSatisfy { Set($0.keys) == ["check", "found", "verdict", "meaning"] })
    }
}

/// The files of a host, beneath a directory of its own.
private final class FixtureHost {
    let root: String

    private static let good: [String: String] = [
        "/proc/sys/kernel/osrelease": "7.0.3-generic", "/proc/cmdline": "BOOT_IMAGE=/vmlinuz quiet",
        "/proc/cpuinfo": "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu sev sev_es sev_snp\n",
        "/sys/module/kvm_amd/parameters/sev": "Y", "/sys/module/kvm_amd/parameters/sev_es": "Y",
        "/sys/module/kvm_amd/parameters/sev_snp": "Y", "/sys/module/ccp/parameters/psp_cmd_timeout": "100",
        "/sys/fs/cgroup/misc.capacity": "sev 410\nsev_es 99", "/sys/fs/cgroup/misc.current": "sev 0\nsev_es 3",
        "/dev/sev": "", "/run/spschedd/vmm/sock": "",
    ]

    /// - Parameter changes: files with other text, and with `nil` what is not there.
    init(_ changes: [String: String?] = [:]) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("host-\(UUID())").path
        for (path, text) in Self.good.merging(changes.compactMapValues { $0 }, uniquingKeysWith: { $1 }) {
            try write(path, text + "\n")
        }
        #expect(chmod(root + "/dev/sev", 0o640) == 0)
        try addHolder(40, "spschedd", flags: "0100000")
        for path in changes.filter({ $0.value == nil }).keys { try FileManager.default.removeItem(atPath: root + path) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ path: String, _ text: String) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func addHolder(_ pid: Int, _ name: String, flags: String) throws {
        try write("/proc/\(pid)/comm", name + "\n")
        try write("/proc/\(pid)/fdinfo/7", "pos:\t0\nflags:\t\(flags)\nmnt_id:\t15\n")
        try FileManager.default.createDirectory(atPath: root + "/proc/\(pid)/fd", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/proc/\(pid)/fd/7", withDestinationPath: "/dev/sev")
    }

    func findings(_ certificates: HostView.RequestCertificates) -> [Finding] {
        Doctor(host: HostView(root: root, requestCertificates: certificates)).findings
    }

    func finding(_ check: String, _ certificates: HostView.RequestCertificates = .exists) -> Finding? {
        findings(certificates).first { $0.check == check }
    }
}
