import Arbiter
import ConfigurationFiles
import LinuxIO
import VMMProtocol

/// The policies of the configuration, their users and groups looked up: which one is for a peer.
struct PolicyTable: Sendable {
    private struct Entry {
        let policy: PolicySettings
        let users: Set<UInt32>
        let groups: [UInt32]
    }

    private let entries: [Entry]

    /// Waits for name services: at start, or where waiting does no harm.
    init(_ policies: [PolicySettings]) throws(UnknownMember) {
        entries = try policies.map { (policy) throws(UnknownMember) in
            let users = try policy.users.map { (name) throws(UnknownMember) in
                try Self.user(name, policy.name)
            }
            let groups = try policy.groups.map { (name) throws(UnknownMember) in
                try Self.group(name, policy.name)
            }
            return Entry(policy: policy, users: Set(users), groups: groups)
        }
    }

    /// The one that names the peer's user, else the first that names one of its groups, else the one for all others.
    func policy(for peer: PeerIdentity) -> PolicySettings? {
        if let named = entries.first(where: { $0.users.contains(peer.uid) }) { return named.policy }
        if let member = entries.first(where: { $0.groups.contains(where: peer.isMember) }) { return member.policy }
        return entries.first { $0.policy.isForOthers }?.policy
    }

    private static func user(_ name: String, _ policy: String) throws(UnknownMember) -> UInt32 {
        guard let id = HostNames.user(name) else { throw UnknownMember(policy: policy, kind: "user", name: name) }
        return id
    }

    private static func group(_ name: String, _ policy: String) throws(UnknownMember) -> UInt32 {
        guard let id = HostNames.group(name) else { throw UnknownMember(policy: policy, kind: "group", name: name) }
        return id
    }
}

struct UnknownMember: Error, CustomStringConvertible {
    let policy: String
    let kind: String
    let name: String

    var key: String { "policy.\(policy).\(kind)s" }

    var description: String { "there is no \(kind) '\(name)': create it, or change \(key)" }
}

/// A cap of an account: how much, and the setting that says so.
struct AccountCap: Equatable {
    let value: Int64
    let setting: String

    init(_ value: Int64, setting: String) {
        self.value = value
        self.setting = setting
    }

    /// The policy's, if it has one; else what holds for all.
    init(_ policy: PolicySettings?, _ own: KeyPath<PolicySettings, Int64?>, _ name: String, else common: Int64) {
        if let policy, let value = policy[keyPath: own] {
            self.value = value
            setting = "policy.\(policy.name).\(name)"
        } else {
            value = common
            setting = "account.\(name)"
        }
    }
}

// MARK: - What a VM asks for

extension PolicySettings {
    /// What the VM is registered with, of what it asks for.
    func clip(_ asked: Registration, guestWaitMax common: Nanoseconds) throws(PolicyRefusal) -> Registration {
        var granted = asked
        if let most = reservationMax {
            guard asked.reservationLeast <= most else {
                throw .reservation(least: asked.reservationLeast, most: most, setting: setting("reservation_max"))
            }
            granted.reservationWanted = min(asked.reservationWanted, most)
        }
        if let most = limitMax {
            guard asked.reservationLeast <= most else {
                throw .reservation(least: asked.reservationLeast, most: most, setting: setting("limit_max"))
            }
            granted.limit = min(asked.limit ?? most, most)
        }
        // What is outside its bounds is the client's mistake, and told as that.
        if Limits.weights.contains(asked.weight) { granted.weight = Weight(min(asked.weight.value, weightMax)) }
        if Limits.bursts.contains(asked.burst) { granted.burst = min(asked.burst, burstMax) }
        let wait = asked.guestWaitMax ?? common
        if Limits.guestWaits.contains(wait) { granted.guestWaitMax = min(wait, guestWaitMax) }
        if asked.retryPolicy.rawValue > retryPolicies.most.rawValue { granted.retryPolicy = retryPolicies.most }
        return granted
    }

    func clip(_ asked: FailureMode) -> FailureMode {
        switch failureModes {
        case .asked: asked
        case .open: .open
        case .closed: .closed
        }
    }
}

extension PolicySettings.RetryPolicies {
    /// Protection grows with the raw values of the protocol.
    fileprivate var most: RetryPolicy {
        switch self {
        case .linux: .linux
        case .once: .once
        case .never: .never
        }
    }
}

/// What a policy does not permit, and that cannot be granted in part.
enum PolicyRefusal: Error {
    case reservation(least: Rate, most: Rate, setting: String)

    var reply: ErrorReply {
        switch self {
        case .reservation(let least, let most, let setting):
            ErrorReply(
                code: Extensible(.accountReservation),
                text: "This VM accepts no less than \(RateText.write(least)), and \(setting) allows"
                    + " \(RateText.write(most)). Accept less, or have the policy changed.")
        }
    }
}

/// What of a registration was not granted as asked, for the journal: empty if all was.
struct ClippedParts: CustomStringConvertible {
    private var parts: [String] = []

    init(asked: Register, granted: Registration, _ failureMode: FailureMode) {
        let wanted = asked.registration
        note("reservation", RateText.write(wanted.reservationWanted), RateText.write(granted.reservationWanted))
        note("limit", wanted.limit.map(RateText.write) ?? "none", granted.limit.map(RateText.write) ?? "none")
        note("weight", "\(wanted.weight.value)", "\(granted.weight.value)")
        note("burst", "\(wanted.burst)", "\(granted.burst)")
        if let wait = wanted.guestWaitMax, let got = granted.guestWaitMax {
            note("guest_wait_max", DurationText.write(wait), DurationText.write(got))
        }
        note("retry_policy", "\(wanted.retryPolicy)", "\(granted.retryPolicy)")
        note("failure_mode", "\(asked.failureMode)", "\(failureMode)")
    }

    private mutating func note(_ name: String, _ asked: String, _ granted: String) {
        if asked != granted { parts.append("\(name) \(asked) to \(granted)") }
    }

    var description: String { parts.joined(separator: ", ") }
    var isEmpty: Bool { parts.isEmpty }
}
