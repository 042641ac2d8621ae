/// The three classes that the rules treat differently. Derived from the command kind, never claimed by a client.
public enum CommandClass: UInt8, Sendable, CaseIterable {
    case launch
    case guest
    case platform
}

/// What a client is about to do with its turn. Raw values are the wire's.
///
/// One kind stands for one ioctl or one request, which may be several firmware commands.
public enum CommandKind: UInt16, Sendable, CaseIterable {
    /// `KVM_SEV_SNP_LAUNCH_START`: GCTX_CREATE, LAUNCH_START and ACTIVATE.
    case launchStart = 0x0100
    /// `KVM_SEV_SNP_LAUNCH_UPDATE`: one firmware command per 4 KiB page; units are pages.
    case launchUpdate = 0x0101
    /// `KVM_SEV_SNP_LAUNCH_FINISH`: one LAUNCH_UPDATE per vCPU and the LAUNCH_FINISH; units are vCPUs.
    case launchFinish = 0x0102
    /// Everything of a launch in one turn, for VMMs that cannot be split; units are pages.
    case wholeLaunch = 0x0103
    /// A launch command of legacy SEV or SEV-ES (`KVM_SEV_LAUNCH_*`); units are pages.
    case legacyLaunch = 0x0104

    /// An attestation report, extended or plain: `SNP_GUEST_REQUEST` with MSG_REPORT_REQ.
    case report = 0x0200
    /// A derived key: `SNP_GUEST_REQUEST` with MSG_KEY_REQ.
    case derivedKey = 0x0201
    /// Any other guest message, planned for at the cost of a report.
    case otherGuestRequest = 0x0202

    /// `SNP_PLATFORM_STATUS` and the page reclaim that follows it.
    case platformStatus = 0x0300
    /// Another platform command issued through `SEV_ISSUE_CMD`.
    case platformCommand = 0x0301

    @inlinable public var commandClass: CommandClass {
        switch self {
        case .launchStart, .launchUpdate, .launchFinish, .wholeLaunch, .legacyLaunch: .launch
        case .report, .derivedKey, .otherGuestRequest: .guest
        case .platformStatus, .platformCommand: .platform
        }
    }
}
