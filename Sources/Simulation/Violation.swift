import Arbiter

/// What a world must keep to. P1 to P7 are those of `docs/architecture.md`, section 6.
public enum Rule: String, Sendable, CaseIterable {
    /// The Arbiter's own account of itself.
    case invariant
    /// Each request gets one terminal reply, and a reply belongs to a request.
    case oneReply
    /// One turn at a time, but for a guest's beside a whole launch.
    case oneTurn
    /// A grant gives what was asked, to a VM that is there, from a device that may be used.
    case soundGrant
    /// A hold keeps others away.
    case hold
    /// A wake-up lies ahead, and brings something about.
    case wake
    /// What was promised fits, and is not taken back.
    case admission
    /// No VM is served beyond its limit.
    case limit
    /// No request waits beyond what its client or its VM said; a lease that ends is noticed.
    case timeOut
    /// An operator's or a client's mistake changes nothing.
    case mistake
    case launchBound = "P1"
    case stormBound = "P2"
    case floor = "P3"
    case workConserving = "P4"
    case fairness = "P5"
    case reservation = "P6"
    case patience = "P7"
}

/// A broken rule: which, when, and in words.
public struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    public let rule: Rule
    public let at: Instant
    public let what: String

    public var description: String { "\(rule.rawValue) at \(at.sinceBoot.count) ns: \(what)" }
}
