import Arbiter

/// What some accounts may do and ask for: one `[policy.NAME]` of the configuration.
public struct PolicySettings: Equatable, Sendable {
    public enum Access: String, CaseIterable, Sendable { case allowed, denied }

    /// What is done about something that a VM may ask for.
    public enum FailureModes: String, CaseIterable, Sendable { case asked, open, closed }
    public enum Descriptors: String, CaseIterable, Sendable { case asked, withheld }

    /// How much protection from refusals a VM may ask for. In order: each permits what stands before it.
    public enum RetryPolicies: String, CaseIterable, Sendable { case linux, once, never }

    public var name: String
    /// Names or numbers. A policy that names neither users nor groups is for all whom no other names.
    public var users: [String] = []
    public var groups: [String] = []

    public var access = Access.allowed
    /// `nil`: what `[account]` says.
    public var connectionsMax: Int64?
    public var vmsMax: Int64?
    public var launchesMax: Int64?

    /// What each VM may ask for at the most; it is granted that much if it asks for more. `nil`: whatever it asks for.
    public var reservationMax: Rate?
    /// VMs are limited to this, whether they ask for a limit or not.
    public var limitMax: Rate?
    public var weightMax = Limits.weights.upperBound.value
    public var burstMax = Limits.bursts.upperBound
    public var guestWaitMax = Limits.guestWaits.upperBound
    public var retryPolicies = RetryPolicies.never
    public var failureModes = FailureModes.asked
    public var descriptors = Descriptors.asked

    public init(name: String) { self.name = name }

    /// For all whom no other policy names.
    public var isForOthers: Bool { users.isEmpty && groups.isEmpty }

    /// How messages name one of its settings.
    public func setting(_ name: String) -> String { "\(Self.section).\(self.name).\(name)" }
}
