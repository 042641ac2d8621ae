/// Something that happened, as `Watch` tells it.
public struct ManagedChange: Codable, Equatable, Sendable {
    /// Counts up; a gap is what this watcher has lost.
    public var sequence: Int64
    /// Microseconds since 1970 by the host's clock.
    public var realtimeMicroseconds: Int64
    public var kind: ManagedChangeKind
    /// The VM that it is about, if it is about one.
    public var vm: String?
    public var uuid: String?
    public var slot: Int?
    /// Why, under the name that the same reason has elsewhere.
    public var reason: String?
    /// What happened, for people.
    public var text: String

    public init(
        sequence: Int64, realtimeMicroseconds: Int64, kind: ManagedChangeKind, vm: String? = nil, uuid: String? = nil,
        slot: Int? = nil, reason: String? = nil, text: String
    ) {
        self.sequence = sequence
        self.realtimeMicroseconds = realtimeMicroseconds
        self.kind = kind
        self.vm = vm
        self.uuid = uuid
        self.slot = slot
        self.reason = reason
        self.text = text
    }

    enum CodingKeys: String, CodingKey {
        case sequence, kind, vm, uuid, slot, reason, text
        case realtimeMicroseconds = "realtime_us"
    }
}

/// What can happen. Names are the wire's.
public enum ManagedChangeKind: String, Codable, Sendable, CaseIterable {
    /// The first of every watch: how things stand.
    case watching
    case vmRegistered = "vm_registered"
    case vmGone = "vm_gone"
    case registrationRefused = "registration_refused"
    /// The VM is refused for another reason than before, or after a pause.
    case refused
    case launchBegan = "launch_began"
    case launchEnded = "launch_ended"
    case turnOverdue = "turn_overdue"
    case device
    case draining
    case resumed
    case reservationsSuspended = "reservations_suspended"
    case reservationsKept = "reservations_kept"
}

/// What one reply of `Watch` carries.
public struct WatchedChange: Codable, Equatable, Sendable {
    public var change: ManagedChange?
    /// Changes that this watcher was too slow for, just before this one.
    public var lost: Int64?

    public init(change: ManagedChange?, lost: Int64? = nil) {
        self.change = change
        self.lost = lost
    }
}
