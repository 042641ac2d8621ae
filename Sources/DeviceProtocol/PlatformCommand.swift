import CSEV

/// One command of `SEV_ISSUE_CMD`, under the kernel's number.
public enum PlatformCommand: UInt32, Sendable, CaseIterable {
    case factoryReset = 0
    case legacyStatus = 1
    case generatePlatformKey = 2
    case requestPlatformKeySignature = 3
    case generateDiffieHellmanKey = 4
    case exportDiffieHellmanKey = 5
    case importPlatformKey = 6
    case identifyBothSockets = 7
    case identify = 8
    case status = 9
    case commit = 10
    case configure = 11
    case loadVLEK = 12

    /// As linux/psp-sev.h has it.
    public var name: String {
        switch self {
        case .factoryReset: "SEV_FACTORY_RESET"
        case .legacyStatus: "SEV_PLATFORM_STATUS"
        case .generatePlatformKey: "SEV_PEK_GEN"
        case .requestPlatformKeySignature: "SEV_PEK_CSR"
        case .generateDiffieHellmanKey: "SEV_PDH_GEN"
        case .exportDiffieHellmanKey: "SEV_PDH_CERT_EXPORT"
        case .importPlatformKey: "SEV_PEK_CERT_IMPORT"
        case .identifyBothSockets: "SEV_GET_ID"
        case .identify: "SEV_GET_ID2"
        case .status: "SNP_PLATFORM_STATUS"
        case .commit: "SNP_COMMIT"
        case .configure: "SNP_SET_CONFIG"
        case .loadVLEK: "SNP_VLEK_LOAD"
        }
    }

    /// Whether the kernel wants a descriptor opened for writing. `sev_ioctl` has no such check for `SNP_COMMIT`.
    public var needsWriting: Bool {
        switch self {
        case .legacyStatus, .exportDiffieHellmanKey, .identifyBothSockets, .identify, .status, .commit: false
        case .factoryReset, .generatePlatformKey, .requestPlatformKeySignature, .generateDiffieHellmanKey,
            .importPlatformKey, .configure, .loadVLEK:
            true
        }
    }

    /// Whether the platform is another one afterwards.
    public var changesPlatform: Bool { self == .commit || needsWriting && self != .requestPlatformKeySignature }

    /// Whether newer kernels initialise SNP for it, and shut it down again, where SNP is not in use.
    public var needsSNP: Bool { rawValue >= Self.status.rawValue }
}

/// A command with what it takes.
public enum PlatformOrder: Equatable, Sendable {
    /// One that takes nothing.
    case plain(PlatformCommand)
    case configure(PlatformConfiguration)
    /// A wrapped versioned endorsement key, as AMD's key server gave it: `hashstickBytes` of them, opaque.
    case loadVLEK(wrappedVersion: UInt8, hashstick: [UInt8])
    case importPlatformKey(key: [UInt8], authority: [UInt8])

    public var command: PlatformCommand {
        switch self {
        case .plain(let command): command
        case .configure: .configure
        case .loadVLEK: .loadVLEK
        case .importPlatformKey: .importPlatformKey
        }
    }

    /// The size of a wrapped VLEK, exactly.
    public static let hashstickBytes = Int(SEV_VLEK_HASHSTICK_BYTES)
    /// The longest certificate that the kernel takes or gives.
    public static let certificateBytesMax = Int(SEV_BLOB_BYTES_MAX)

    /// What is wrong with it, before anybody is asked; `nil` if nothing is.
    public var mistake: String? {
        switch self {
        case .plain(let command):
            switch command {
            case .configure, .loadVLEK, .importPlatformKey: "\(command.name) takes something, and nothing was given"
            default: nil
            }
        case .configure: nil
        case .loadVLEK(_, let hashstick):
            hashstick.count == Self.hashstickBytes
                ? nil : "a wrapped VLEK has \(Self.hashstickBytes) bytes, not \(hashstick.count)"
        case .importPlatformKey(let key, let authority):
            [key.count, authority.count].allSatisfy { (1...Self.certificateBytesMax).contains($0) }
                ? nil : "a certificate has between 1 and \(Self.certificateBytesMax) bytes"
        }
    }
}

/// What SNP_SET_CONFIG sets.
public struct PlatformConfiguration: Equatable, Sendable {
    /// The security version that reports name; 0: the current one.
    public var reportedTCB: UInt64
    /// Reports do not name the chip.
    public var masksChipID: Bool
    /// Reports are not signed with the chip's key.
    public var masksChipKey: Bool

    public init(reportedTCB: UInt64, masksChipID: Bool, masksChipKey: Bool) {
        self.reportedTCB = reportedTCB
        self.masksChipID = masksChipID
        self.masksChipKey = masksChipKey
    }
}
