import Arbiter
import CSEV
import DeviceProtocol
import Glibc
import LinuxIO

/// The real device: SNP_PLATFORM_STATUS through SEV_ISSUE_CMD.
struct SEVDevice {
    let path: String

    private static let parameter = "/sys/module/kvm_amd/parameters/sev_snp"

    /// May sleep in the kernel until the command times out, 100 s by default.
    func probe() -> ProbeReport {
        if let reason = Self.reasonNotToAsk() { return Prober.notAttempted("\(path): \(reason)") }
        do {
            // Status needs no write access, and what cannot be written cannot be reset.
            let device = try FileDescriptor.openReadOnly(path)
            return status(of: device)
        } catch {
            return Prober.notAttempted("\(error)")
        }
    }

    private func status(of device: borrowing FileDescriptor) -> ProbeReport {
        var status = sev_user_data_snp_status()
        var firmwareCode: UInt32 = 0
        let begin = BootClock.now()
        let result = csev_snp_platform_status(device.number, &status, &firmwareCode)
        let duration = BootClock.now() - begin
        let platform = PlatformStatus(
            major: status.api_major, minor: status.api_minor, guestCount: status.guest_count)
        return Prober.report(
            errno: -result, firmwareCode: FirmwareCode(rawValue: firmwareCode), duration: duration,
            platform: result == 0 ? platform : nil, path: path)
    }

    /// Where SNP is not in use, newer kernels initialise the whole platform for one status command and shut it down
    /// again, caches of every CPU written back: far more than a probe may cost.
    private static func reasonNotToAsk() -> String? {
        guard let value = firstByte(of: parameter) else {
            return
                "not asked, because kvm_amd is not loaded or knows no SNP (\(parameter) cannot be read). Load kvm_amd."
        }
        guard value == UInt8(ascii: "Y") || value == UInt8(ascii: "1") else {
            return """
                not asked, because SNP is off in kvm_amd (\(parameter)): a status command would initialise the \
                platform and shut it down again. Enable SEV-SNP in the machine's set-up and load kvm_amd with sev=1, \
                sev_es=1 and sev_snp=1.
                """
        }
        return nil
    }

    private static func firstByte(of path: String) -> UInt8? {
        guard let file = try? FileDescriptor.openReadOnly(path) else { return nil }
        var bytes = [UInt8](repeating: 0, count: DeviceLimits.parameterBytes)
        return read(file.number, &bytes, bytes.count) > 0 ? bytes[0] : nil
    }
}
