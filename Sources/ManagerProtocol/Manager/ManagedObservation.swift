/// What the observer tells of one process: how many requests its guests have sent, since the observer's start.
public struct ObservedProcess: Codable, Equatable, Sendable {
    public var pid: Int32
    /// For people.
    public var name: String
    /// Those that never leave KVM: plain reports, derived keys, other messages.
    public var plain: Int64
    /// Reports with certificates, for which a VMM may ask.
    public var extended: Int64

    public init(pid: Int32, name: String, plain: Int64, extended: Int64) {
        self.pid = pid
        self.name = name
        self.plain = plain
        self.extended = extended
    }
}

/// What the observer tells in one call.
public struct ObservedReport: Equatable, Sendable {
    /// Those that sent something lately, or a part of them.
    public var processes: [ObservedProcess]
    /// Events that were lost, since the observer's start.
    public var lost: Int64

    public init(processes: [ObservedProcess], lost: Int64) {
        self.processes = processes
        self.lost = lost
    }
}

/// What `Status` tells of the requests that the observer has seen.
public struct ManagedObservation: Codable, Equatable, Sendable {
    /// Those that sent requests for which nobody asked, the latest first.
    public var processes: [ManagedProcess]
    /// How many processes have done so in the last ten seconds.
    public var bypassing: Int
    public var lost: Int64
    /// Since the observer's last report.
    public var silentNanoseconds: Int64

    public init(processes: [ManagedProcess], bypassing: Int, lost: Int64, silentNanoseconds: Int64) {
        self.processes = processes
        self.bypassing = bypassing
        self.lost = lost
        self.silentNanoseconds = silentNanoseconds
    }

    enum CodingKeys: String, CodingKey {
        case processes, bypassing, lost
        case silentNanoseconds = "silent_ns"
    }
}

/// A process whose guests' requests pass the daemon by.
public struct ManagedProcess: Codable, Equatable, Sendable {
    public var pid: Int32
    public var name: String
    /// The VM that is registered from this process, by the peer of its connection: a hint, and no proof.
    public var vm: String?
    public var plain: Int64
    public var extended: Int64
    /// Those of them for which nobody asked.
    public var unasked: Int64
    /// Some in the last ten seconds.
    public var isBypassing: Bool

    public init(
        pid: Int32, name: String, vm: String?, plain: Int64, extended: Int64, unasked: Int64, isBypassing: Bool
    ) {
        self.pid = pid
        self.name = name
        self.vm = vm
        self.plain = plain
        self.extended = extended
        self.unasked = unasked
        self.isBypassing = isBypassing
    }

    enum CodingKeys: String, CodingKey {
        case pid, name, vm, plain, extended, unasked
        case isBypassing = "bypassing"
    }
}

/// Promise P1 for a launch of common size: how long it takes at most once it is first in line, its VMM's own pauses not
/// counted.
public struct ManagedLaunchBound: Codable, Equatable, Sendable {
    public var pages: Int64
    /// Firmware commands of that launch.
    public var commands: Int64
    /// With what was observed; `nil` if there is no bound.
    public var boundNanoseconds: Int64?
    /// The part of it that is due to processes that do not ask.
    public var unaskedNanoseconds: Int64

    public init(pages: Int64, commands: Int64, boundNanoseconds: Int64?, unaskedNanoseconds: Int64) {
        self.pages = pages
        self.commands = commands
        self.boundNanoseconds = boundNanoseconds
        self.unaskedNanoseconds = unaskedNanoseconds
    }

    enum CodingKeys: String, CodingKey {
        case pages, commands
        case boundNanoseconds = "bound_ns"
        case unaskedNanoseconds = "unasked_ns"
    }
}
