import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO

/// What an `ioctl` came to, sorted: errno and firmware code are told apart, and neither is ever taken for throttling.
struct Verdict {
    let path: String
    let command: PlatformCommand
    /// 0 or the positive errno.
    let errno: Int32
    let firmwareCode: FirmwareCode
    let duration: Nanoseconds

    var report: ProbeReport {
        ProbeReport(
            outcome: outcome, errno: errno, firmwareCode: firmwareCode, duration: duration, text: text ?? "")
    }

    private var hasFirmwareError: Bool { firmwareCode != .success && firmwareCode != .notCalled }

    private var outcome: ProbeReport.Outcome {
        switch errno {
        case 0: hasFirmwareError ? .unexpectedAnswer : .answered
        // The one command that the kernel itself refuses as busy: guests run.
        case EBUSY where command == .factoryReset: .failed
        case ETIMEDOUT, EBUSY: .dead
        case EIO where hasFirmwareError: .firmwareRefused
        case EPERM, EACCES: .notPermitted
        case ENOTTY: .notSEVDevice
        case ENODEV, ENXIO: .vanished
        default: .failed
        }
    }

    private var text: String? {
        let sentence = SystemError.sentence(for: errno)
        return switch outcome {
        case .answered: nil
        case .dead:
            "\(path): the ccp driver has given the device up (\(sentence)). Load ccp again, or reboot the host."
        case .firmwareRefused: "\(path): \(command.name): \(firmwareCode)"
        case .notPermitted:
            "\(path): the kernel did not let \(command.name) be issued (\(sentence)): it needs a descriptor that is "
                + "open for writing. Check the owner and mode of \(path)."
        case .notSEVDevice:
            "\(path): it is no SEV device, for it does not know SEV_ISSUE_CMD (\(sentence)). Give --device the right "
                + "one, /dev/sev."
        case .vanished:
            "\(path): the device is gone (\(sentence)). Load the ccp module, and look at the kernel's log for the "
                + "reason."
        case .unexpectedAnswer: "\(path): \(command.name) succeeded, and yet: \(firmwareCode)"
        case .failed, .notAttempted: "\(path): \(command.name) failed: \(sentence)\(advice)"
        }
    }

    private var advice: String {
        var advice =
            switch errno {
            case EINVAL:
                ". The kernel does not know this command (SNP's are there since Linux 6.11), or SNP is not initialised"
            case EBUSY: ". Guests are running: shut them down first"
            default: ""
            }
        if firmwareCode != .success { advice += "; \(firmwareCode)" }
        return advice
    }
}
