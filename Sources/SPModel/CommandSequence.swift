import Arbiter

/// The firmware commands behind one ioctl or one guest request, in order.
///
/// KVM takes the SEV mutex anew for each of them, so that other work may come between any two.
public struct CommandSequence: Sendable, Equatable {
    public let kind: CommandKind
    /// Pages or vCPUs, as `kind` says; 1 where it has no units.
    public let units: UInt32
    public let pageKind: PageKind
    /// Whether LAUNCH_FINISH verifies an ID block.
    public let hasIDBlock: Bool
    /// What KVM sends when a VM ends; no ioctl brings it about, and nobody can be granted a turn for it.
    private let teardown: Teardown?

    private enum Teardown: Sendable { case decommission, flush }

    /// A VM's end: DECOMMISSION, and its context page comes back. Counted as platform work.
    public static let decommission = CommandSequence(.decommission)
    /// DF_FLUSH, before address-space ids are used again. Counted as platform work.
    public static let dataFabricFlush = CommandSequence(.flush)

    /// `nil` if no single ioctl is of this kind (a whole launch is many), or if it has no units or more than `Limits`
    /// allow.
    public init?(kind: CommandKind, units: UInt32 = 1, pageKind: PageKind = .normal, hasIDBlock: Bool = false) {
        guard let most = Self.unitsMax(of: kind), units >= 1, units <= most else { return nil }
        self.kind = kind
        self.units = units
        self.pageKind = pageKind
        self.hasIDBlock = hasIDBlock
        teardown = nil
    }

    private init(_ teardown: Teardown) {
        kind = .platformCommand
        units = 1
        pageKind = .normal
        hasIDBlock = false
        self.teardown = teardown
    }

    /// How many firmware commands it takes.
    public var count: Int {
        switch kind {
        case .platformCommand where teardown == .decommission: 2
        case .launchStart: 3
        case .launchUpdate: Int(units)
        case .launchFinish: Int(units) + 1
        case .platformStatus: 2
        case .wholeLaunch, .legacyLaunch, .report, .derivedKey, .otherGuestRequest, .platformCommand: 1
        }
    }

    /// The command at `index`, and how many pages it takes at once.
    func step(at index: Int) -> (command: FirmwareCommand, pages: Int64) {
        switch kind {
        case .launchStart: (index == 0 ? .guestContextCreate : index == 1 ? .launchStart : .activate, 1)
        case .launchUpdate: (pageKind.firmwareCommand, 1)
        case .launchFinish where index < Int(units): (.launchUpdateVMSA, 1)
        case .launchFinish: (hasIDBlock ? .launchFinishIDBlock : .launchFinish, 1)
        case .legacyLaunch: (.legacyLaunchUpdatePage, Int64(units))
        case .derivedKey: (.guestRequestDerivedKey, 1)
        // A message of another kind is planned for at the cost of a report. `init` refuses a whole launch.
        case .report, .otherGuestRequest, .wholeLaunch: (.guestRequestReport, 1)
        case .platformStatus: (index == 0 ? .platformStatus : .pageReclaim, 1)
        case .platformCommand where teardown == .decommission: (index == 0 ? .decommission : .pageReclaim, 1)
        case .platformCommand: (teardown == .flush ? .dataFabricFlush : .platformCommand, 1)
        }
    }

    /// The pages or vCPUs done once `commands` of them have been.
    func unitsDone(after commands: Int) -> UInt32 {
        switch kind {
        case .launchUpdate: UInt32(commands)
        case .launchFinish: min(units, UInt32(commands))
        default: commands == count ? units : 0
        }
    }

    private static func unitsMax(of kind: CommandKind) -> UInt32? {
        switch kind {
        case .wholeLaunch: nil
        case .launchUpdate, .legacyLaunch: ModelLimits.pagesInIoctl
        case .launchFinish: Limits.virtualCPUsMax
        case .launchStart, .report, .derivedKey, .otherGuestRequest, .platformStatus, .platformCommand: 1
        }
    }
}

/// Every limit of the model, each with its reason.
public enum ModelLimits {
    /// 1 GiB measured by one ioctl: more than any firmware image, and no sum of times comes near the range of a
    /// `Nanoseconds`.
    public static let pagesInIoctl: UInt32 = 262_144
}
