import CSystemd.Processor
import LinuxIO

/// Whether this host can have anything to schedule, now or without a reboot: what the unit asks before each start.
///
/// SNP that is merely off, or whose module is not loaded yet, is no reason to stay away: the daemon then serves
/// degraded, and looks again.
enum HostCheck {
    case worthStarting
    /// Why not.
    case nothingToSchedule(String)

    static func look(at device: String) -> HostCheck {
        judge(device, kind: try? FileKind.ofPath(device), processorHasSNP: linux_processor_has_snp() != 0)
    }

    static func judge(_ device: String, kind: FileKind?, processorHasSNP: Bool) -> HostCheck {
        switch kind {
        case nil:
            .nothingToSchedule(
                "\(device) does not exist: load the ccp driver, which makes it where there is a Secure Processor")
        case .socket: .worthStarting
        case _ where processorHasSNP: .worthStarting
        default: .nothingToSchedule("this processor has no SEV-SNP, so nothing shares its Secure Processor")
        }
    }
}
