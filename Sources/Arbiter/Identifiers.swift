/// One registered VM. A slot is used again; the generation tells its tenants apart.
public struct VMID: Hashable, Sendable {
    public let slot: UInt32
    public let generation: UInt32

    @inlinable public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Stands where a decision concerns no VM: platform work.
    public static let none = VMID(slot: .max, generation: .max)
}

/// Whom a cap applies to. The daemon maps uid and security label to it.
public struct AccountID: Hashable, Sendable {
    public let slot: UInt32

    @inlinable public init(slot: UInt32) { self.slot = slot }
}

/// One launch session. Never used again.
public struct SessionID: Hashable, Sendable {
    public let number: UInt64

    @inlinable public init(number: UInt64) { self.number = number }
}

/// One turn. Never used again within an epoch, and never zero.
public struct TurnID: Hashable, Sendable {
    public let number: UInt64

    @inlinable public init(number: UInt64) { self.number = number }
}

/// One request of a client: the connection it came by (opaque here) and the tag its client gave it.
public struct RequestID: Hashable, Sendable {
    public let origin: UInt64
    public let tag: UInt64

    @inlinable public init(origin: UInt64, tag: UInt64) {
        self.origin = origin
        self.tag = tag
    }
}
