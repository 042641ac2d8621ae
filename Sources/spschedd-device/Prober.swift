import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO

/// Issues one status command to whatever the path names, opening it anew each time.
struct Prober {
    let path: String

    /// Why this path can never be a device, if so. One that is merely not there may appear when `ccp` is loaded.
    var misconfiguration: String? {
        guard let kind = try? FileKind.ofPath(path) else { return nil }
        return Self.wrongKind(kind).map { "'\(path)' is \($0). \(Self.whatItMayBe)" }
    }

    /// Waits for the answer, unless SIGTERM comes first and the wait can be ended: then `nil`.
    func probe(until signals: borrowing TerminationSignals) throws(SystemError) -> ProbeReport? {
        switch Result(catching: { () throws(SystemError) in try FileKind.ofPath(path) }) {
        case .success(.characterDevice): return SEVDevice(path: path).probe()
        case .success(.socket): return try EmulatedDevice(path: path).probe(until: signals)
        case .success(let kind):
            return Self.notAttempted("'\(path)' is \(Self.wrongKind(kind) ?? "no device"). \(Self.whatItMayBe)")
        case .failure(let error):
            return Self.notAttempted("\(error). Is the ccp module loaded, and SEV enabled in the machine's set-up?")
        }
    }

    /// Sorts an answer: errno and firmware code are told apart, and neither is ever taken for throttling.
    static func report(
        errno: Int32, firmwareCode: FirmwareCode, duration: Nanoseconds, platform: PlatformStatus?, path: String
    ) -> ProbeReport {
        var report = ProbeReport(
            outcome: .answered, errno: errno, firmwareCode: firmwareCode, duration: duration, platform: platform)
        switch errno {
        case 0:
            report.text = ""
        case ETIMEDOUT, EBUSY:
            report.outcome = .dead
            report.text = """
                \(path): the ccp driver has given the device up (\(SystemError.sentence(for: errno))). Load ccp again, \
                or reboot the host.
                """
        case EIO where firmwareCode != .success && firmwareCode != .notCalled:
            report.outcome = .firmwareRefused
            report.text = "\(path): \(firmwareCode)"
        default:
            report.outcome = .failed
            report.text = "\(path): SNP_PLATFORM_STATUS failed: \(SystemError.sentence(for: errno))"
            if firmwareCode != .success { report.text += "; \(firmwareCode)" }
        }
        return report
    }

    static func notAttempted(_ text: String) -> ProbeReport { ProbeReport(outcome: .notAttempted, text: text) }

    private static func wrongKind(_ kind: FileKind) -> String? {
        switch kind {
        case .characterDevice, .socket: nil
        case .regular: "a regular file"
        case .directory: "a directory"
        case .other: "neither a character device nor a socket"
        }
    }

    private static let whatItMayBe = "Give --device the SEV device (/dev/sev) or the socket of sp-emulator."
}
