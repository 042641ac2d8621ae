import Arbiter
import ConfigurationFiles
import SPModel
import Simulation

/// A host as an operator plans it: its VMs, what they ask for, and how the daemon is configured.
public struct Fleet: Equatable, Sendable {
    public var configuration = DaemonConfiguration()
    public var sp = SPName.milan2024
    /// In the order in which their VMs register.
    public var groups: [FleetGroup] = []
    public var unjoined: [UnjoinedGroup] = []

    public init() {}

    public var virtualMachines: Int64 { groups.reduce(0) { $0 + $1.count } }
    /// k: guests that never ask.
    public var unjoinedGuests: Int64 { unjoined.reduce(0) { $0 + $1.count } }
}

/// Guests that are alike, whoever they are.
public protocol GuestGroupPlan: Equatable, Sendable {
    var name: String { get set }
    var count: Int64 { get set }
    var guest: GuestBehaviour { get set }

    init(name: String)
}

/// VMs that are alike.
public struct FleetGroup: GuestGroupPlan {
    public var name: String
    public var count: Int64 = 0
    /// VMs of one account share its caps.
    public var account = "libvirt"

    /// `nil`: none.
    public var reservation: Rate? = Registration().reservationWanted
    public var reservationLeast: Rate?
    public var limit: Rate?
    public var weight = Registration().weight.value
    public var burst = Registration().burst
    /// `nil`: as the configuration says.
    public var guestWaitMax: Nanoseconds?

    public var guest = GuestBehaviour()
    public var launches = LaunchBehaviour()

    public init(name: String) { self.name = name }

    /// What each of them asks for when it registers.
    public var registration: Registration {
        Registration(
            reservationWanted: reservation ?? .zero, reservationLeast: reservationLeast ?? .zero, limit: limit,
            weight: Weight(weight), burst: burst, retryPolicy: guest.kind.retryPolicy, guestWaitMax: guestWaitMax)
    }
}

/// Guests that reach the SP without asking: plain requests, kernels before 7.0, VMMs that have not joined.
public struct UnjoinedGroup: GuestGroupPlan {
    public var name: String
    public var count: Int64 = 0
    public var guest = GuestBehaviour()

    public init(name: String) { self.name = name }
}

/// What guests of a group ask, and what they do when they are refused.
public struct GuestBehaviour: Equatable, Sendable {
    public var kind = GuestKind.linux
    public var requests = RequestPace.every(.perSecond(1))
    /// How many reports are wanted at once, at the pace of `requests` on average.
    public var atOnce: Int64 = 1
    public var starts = StartTimes.random

    public init() {}
}

public enum GuestKind: String, CaseIterable, Sendable {
    case linux, once, never, hostile

    /// What such a VM registers with: nobody registers as hostile.
    public var retryPolicy: RetryPolicy {
        switch self {
        case .linux, .hostile: .linux
        case .once: .once
        case .never: .never
        }
    }
}

public enum RequestPace: Equatable, Sendable {
    case none
    /// The next follows the report before.
    case loop
    /// On an absolute schedule.
    case every(Rate)

    var hasSchedule: Bool { if case .every = self { true } else { false } }
}

public enum StartTimes: String, CaseIterable, Sendable {
    case random, aligned
}

/// How VMs of a group are launched anew.
public struct LaunchBehaviour: Equatable, Sendable {
    public var profile = LaunchProfileName.vmm64Pages
    /// In all of the group, in thousandths.
    public var perThousandMinutes: Int64 = 0
    public var spacing = LaunchSpacing.even
    public var turns = LaunchTurns.chunked
    public var virtualCPUs: Int64 = 1

    public init() {}

    public var areExpected: Bool { perThousandMinutes > 0 }
}

public enum LaunchSpacing: String, CaseIterable, Sendable {
    case even, random
}

public enum LaunchTurns: String, CaseIterable, Sendable {
    case chunked, whole
}

/// The launch profiles of the model, by their names there.
public enum LaunchProfileName: String, CaseIterable, Sendable {
    case microvm
    case vmm64Pages = "vmm-64p"
    case ovmf1MiB = "ovmf-1m"
    case ovmf4MiB = "ovmf-4m"

    public var profile: LaunchProfile {
        switch self {
        case .microvm: .microvm
        case .vmm64Pages: .vmm64Pages
        case .ovmf1MiB: .ovmf1MiB
        case .ovmf4MiB: .ovmf4MiB
        }
    }
}

/// The SPs of the model, by their names there.
public enum SPName: String, CaseIterable, Sendable {
    case milan2024 = "milan-2024"

    public var profile: Profile {
        switch self {
        case .milan2024: .milan2024
        }
    }
}
