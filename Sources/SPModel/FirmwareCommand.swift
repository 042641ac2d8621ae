/// One command to the SP: what its mailbox takes, and what it cannot interrupt.
public enum FirmwareCommand: UInt8, Sendable, CaseIterable {
    case guestContextCreate
    case launchStart
    case activate
    case launchUpdateNormal
    case launchUpdateZero
    case launchUpdateUnmeasured
    case launchUpdateSecrets
    case launchUpdateCPUID
    /// The save area of one vCPU; KVM sends it from within LAUNCH_FINISH.
    case launchUpdateVMSA
    case launchFinish
    /// With an ID block: up to two signatures are verified.
    case launchFinishIDBlock
    case guestRequestReport
    case guestRequestDerivedKey
    case decommission
    case dataFabricFlush
    case platformStatus
    /// Takes a page back from the firmware; follows SNP_PLATFORM_STATUS and DECOMMISSION.
    case pageReclaim
    /// SNP_COMMIT, SNP_SET_CONFIG, SNP_VLEK_LOAD.
    case platformCommand
    /// Legacy SEV's LAUNCH_UPDATE_DATA, a page's part of it: the whole region is one command.
    case legacyLaunchUpdatePage
}

/// The type of a page that a launch measures. Raw values are the firmware's.
public enum PageKind: UInt8, Sendable, CaseIterable {
    case normal = 1
    case zero = 3
    case unmeasured = 4
    case secrets = 5
    case cpuid = 6

    public var firmwareCommand: FirmwareCommand {
        switch self {
        case .normal: .launchUpdateNormal
        case .zero: .launchUpdateZero
        case .unmeasured: .launchUpdateUnmeasured
        case .secrets: .launchUpdateSecrets
        case .cpuid: .launchUpdateCPUID
        }
    }
}
