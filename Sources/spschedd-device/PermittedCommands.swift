import ArgumentParser
import DeviceProtocol

/// Which commands this process issues at all, whoever asks. The daemon that asks parses strangers' bytes: what it never
/// needs it cannot have.
enum PermittedCommands: String, ExpressibleByArgument, CaseIterable {
    /// What changes nothing.
    case status
    /// And what SNP hosts need: SNP_COMMIT, SNP_SET_CONFIG and SNP_VLEK_LOAD.
    case snp
    /// And what changes keys and owner of SEV before SNP, FACTORY_RESET included.
    case all

    func reasonToRefuse(_ command: PlatformCommand) -> String? {
        switch self {
        case .all: return nil
        case .snp where command.needsSNP: return nil
        case .snp, .status:
            guard command.changesPlatform || command.needsWriting else { return nil }
            return "\(command.name) is not permitted here: spschedd-device runs with --permit \(rawValue)"
        }
    }
}
