/// Looks at a host, and says what each thing means for enforcement.
struct Doctor {
    let host: HostView

    var findings: [Finding] {
        [
            kernel, processor, snp, requestCertificates, device, holders, identifiers, kernelLimit, commandTimeout,
            daemon,
        ]
    }

    private static let parameters = "/sys/module/kvm_amd/parameters/"

    // MARK: Kernel and processor

    private var release: String { host.text("/proc/sys/kernel/osrelease") ?? "" }

    /// Major and minor.
    private var version: (Int, Int)? {
        let numbers = release.split(separator: "-")[0...0].first?.split(separator: ".").prefix(2).compactMap {
            Int($0)
        }
        guard let numbers, numbers.count == 2 else { return nil }
        return (numbers[0], numbers[1])
    }

    private var kernel: Finding {
        guard !release.isEmpty, let version else {
            return Finding("kernel", "unknown", .warning, "/proc/sys/kernel/osrelease names no version")
        }
        if version < (6, 11) {
            return Finding(
                "kernel", "Linux \(release)", .problem,
                "Linux hosts SNP guests since 6.11; older kernels need a vendor's patches")
        }
        if version < (7, 0) {
            return Finding(
                "kernel", "Linux \(release)", .note,
                "turns order launches; no report request reaches user space before 7.0")
        }
        return Finding("kernel", "Linux \(release)", .ok, "launches and extended report requests can take turns")
    }

    private var cpuFlags: Set<Substring> {
        let lines = (host.text("/proc/cpuinfo") ?? "").split(separator: "\n")
        let flags = lines.first { $0.hasPrefix("flags") }?.split(separator: ":").last ?? ""
        return Set(flags.split(separator: " "))
    }

    private var isAMD: Bool { host.text("/proc/cpuinfo")?.contains("AuthenticAMD") == true }

    private var processor: Finding {
        if cpuFlags.contains("sev_snp") { return Finding("CPU", "has SEV-SNP", .ok, "it has a Secure Processor") }
        guard isAMD else {
            return Finding("CPU", "not AMD's", .problem, "there is no AMD Secure Processor to schedule")
        }
        return Finding(
            "CPU", "AMD, without SEV-SNP", .problem,
            "SNP needs an EPYC 7003 or newer, with SMEE and SNP enabled in the machine's set-up; in a guest, its host's"
        )
    }

    // MARK: SNP

    private func isOn(_ parameter: String) -> Bool? {
        host.text(Self.parameters + parameter).map { $0 == "Y" || $0 == "1" }
    }

    private var snp: Finding {
        if isOn("sev_snp") == true {
            return Finding("SNP", "on", .ok, "SNP guests can be launched")
        }
        return Finding("SNP", isOn("sev_snp") == nil ? "unavailable" : "off", .problem, reasonWithoutSNP)
    }

    private var reasonWithoutSNP: String {
        if !host.exists("/sys/module/kvm_amd") { return "kvm_amd is not loaded: modprobe kvm_amd" }
        let commandLine = Set((host.text("/proc/cmdline") ?? "").split(separator: " "))
        if isOn("sev_snp") == nil { return "this kernel's kvm_amd knows no SNP: use Linux 6.11 or newer" }
        if !cpuFlags.contains("sev_snp") {
            return "the CPU shows no SNP: enable SMEE, SEV and SNP in the machine's set-up"
        }
        if commandLine.contains("iommu=off") || commandLine.contains("amd_iommu=off")
            || commandLine.contains("iommu=pt")
        {
            return "the kernel's command line turns the IOMMU off or to pass-through: SNP needs it translating"
        }
        for parameter in ["sev", "sev_es"] where isOn(parameter) == false {
            return "kvm_amd was loaded with \(parameter)=0: load it with sev=1, sev_es=1 and sev_snp=1"
        }
        if commandLine.contains("kvm_amd.sev_snp=0") || commandLine.contains("kvm-amd.sev_snp=0") {
            return "the kernel's command line says kvm_amd.sev_snp=0"
        }
        if !host.exists("/dev/sev") { return "the ccp driver offers no /dev/sev: load ccp, and see the kernel's log" }
        return "enable SNP and RMP coverage in the machine's set-up, and see the kernel's log for \"SEV-SNP\""
    }

    private var requestCertificates: Finding {
        let name = "KVM_SEV_SNP_ENABLE_REQ_CERTS"
        switch host.requestCertificates {
        case .exists:
            return Finding(
                name, "exists", .ok,
                "extended report requests of VMMs that ask can be held back; plain requests stay out of reach")
        case .doesNotExist:
            return Finding(
                name, "does not exist", .warning, "every report request is out of reach: it comes with Linux 7.0")
        case .unknown(let reason):
            return Finding(name, "unknown", .note, "whether extended report requests can be held back: \(reason)")
        }
    }

    // MARK: The device

    private var device: Finding {
        guard let (mode, owner, group) = host.permissions("/dev/sev") else {
            return Finding("/dev/sev", "absent", .problem, "the ccp driver offers none: load ccp, see the kernel's log")
        }
        let octal = String(mode & 0o777, radix: 8)
        let found = "mode 0\(octal), uid \(owner), gid \(group)"
        if mode & 0o007 != 0 {
            return Finding(
                "/dev/sev", found, .warning,
                "every account may open it: whoever does launches without a turn. Remove others' permissions")
        }
        return Finding(
            "/dev/sev", found, .ok, "who is not its owner or in its group needs the daemon's descriptor to launch")
    }

    private var holders: Finding {
        let holders = DeviceHolders(host)
        guard !holders.all.isEmpty else {
            return Finding("held open by", "nobody", .note, "as far as this account sees: only root sees every process")
        }
        let names = holders.all.map(\.title).joined(separator: ", ")
        let others = holders.all.filter { !$0.isOurs }
        if let writer = others.first(where: { $0.isWritable }) {
            return Finding(
                "held open by", names, .warning,
                "\(writer.name) can reset and configure the platform, and need not ask for turns: QEMU opens it so; "
                    + "where it can, hand it the daemon's descriptor")
        }
        return Finding(
            "held open by", names, .ok,
            others.isEmpty
                ? "nobody but spschedd" : "a descriptor cannot be taken back; read-only ones still admit SNP_COMMIT")
    }

    private var identifiers: Finding {
        guard let most = misc("misc.capacity") else {
            return Finding(
                "ASIDs", "unknown", .note, "the misc cgroup controller does not say how many VMs there can be")
        }
        let used = misc("misc.current").map { ", \($0) in use" } ?? ""
        let hidden = host.text(Self.parameters + "ciphertext_hiding_asids").flatMap { Int($0) } ?? 0
        let reserved = hidden > 0 ? "; \(hidden) of them for SNP with hidden ciphertext" : ""
        return Finding(
            "ASIDs", "\(most)\(used)", most > 0 ? .ok : .problem,
            most > 0
                ? "no more SNP and SEV-ES guests can run at once\(reserved); 'spschedctl plan' says what they can share"
                : "none are left to SNP: set the least SEV ASID above 1 in the machine's set-up")
    }

    private func misc(_ file: String) -> Int? {
        let lines = (host.text("/sys/fs/cgroup/" + file) ?? "").split(separator: "\n").map { $0.split(separator: " ") }
        return lines.first { $0.first == "sev_es" }?.last.flatMap { Int($0) }
    }

    // MARK: What the kernel does by itself

    /// Module parameters of the patches that were posted; none was merged.
    private static let limits = [
        "sev_snp_request_ratelimit_khz", "guest_request_throttle_s", "guest_request_throttle_burst",
    ]

    private var kernelLimit: Finding {
        let set = Self.limits.compactMap { name in
            host.text(Self.parameters + name).flatMap { $0 == "0" ? nil : "\(name)=\($0)" }
        }
        guard !set.isEmpty else {
            return Finding(
                "kernel's own limit", "none", .note,
                "a guest that sends plain requests in a loop is limited by nobody: see the table of enforcement")
        }
        return Finding(
            "kernel's own limit", set.joined(separator: ", "), .ok,
            "also plain requests are limited; guests may be refused that spschedd would have served")
    }

    private var commandTimeout: Finding {
        guard let seconds = host.text("/sys/module/ccp/parameters/psp_cmd_timeout").flatMap({ Int($0) }) else {
            return Finding(
                "command time-out", "unknown", .note, "ccp is not loaded, or does not say how long a command may hang")
        }
        return Finding(
            "command time-out", "\(seconds) s", .note,
            "a hung command holds every other for so long; then the driver gives the device up until it is reloaded")
    }

    private var daemon: Finding {
        host.exists("/run/spschedd/vmm/sock")
            ? Finding("spschedd", "its socket is there", .ok, "VMMs can ask for turns")
            : Finding(
                "spschedd", "no socket", .warning,
                "VMMs cannot ask for turns, and go ahead or stop as each has chosen: systemctl start spschedd")
    }
}
