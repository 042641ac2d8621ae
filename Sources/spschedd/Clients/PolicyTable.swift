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
    init(_ policies: [PolicySettings]) throws(PolicyMistake) {
        var entries: [Entry] = []
        var named: [UInt32: (name: String, policy: String)] = [:]
        for policy in policies {
            var users: Set<UInt32> = []
            for name in policy.users {
                guard let user = AccountName.user(name) else { throw .unknown("user", name, of: policy) }
                // Under other names, or by its number: what is written alike is found as it is read.
                if let first = named[user], first.policy != policy.name {
                    throw .namedTwice(name, user, of: policy, firstAs: first.name, firstBy: first.policy)
                }
                named[user] = (name, policy.name)
                users.insert(user)
            }
            var groups: [UInt32] = []
            for name in policy.groups {
                guard let group = AccountName.group(name) else { throw .unknown("group", name, of: policy) }
                groups.append(group)
            }
            entries.append(Entry(policy: policy, users: users, groups: groups))
        }
        self.entries = entries
    }

    /// The one that names the peer's user, else the first that names one of its groups, else the one for all others.
    func policy(for peer: PeerIdentity) -> PolicySettings? {
        if let named = entries.first(where: { $0.users.contains(peer.uid) }) { return named.policy }
        if let member = entries.first(where: { $0.groups.contains(where: peer.isMember) }) { return member.policy }
        return entries.first { $0.policy.isForOthers }?.policy
    }
}

/// A user or group of a policy that cannot be meant: what only looking it up can tell.
struct PolicyMistake: Error {
    /// The setting that names it.
    let key: String
    let sentence: String

    static func unknown(_ kind: String, _ name: String, of policy: PolicySettings) -> Self {
        Self(
            key: policy.setting("\(kind)s"), sentence: "there is no \(kind) '\(name)': create it, or name another")
    }

    static func namedTwice(
        _ name: String, _ user: UInt32, of policy: PolicySettings, firstAs: String, firstBy: String
    ) -> Self {
        Self(
            key: policy.setting("users"),
            sentence: "the user '\(name)' is uid \(user), whom policy '\(firstBy)' names as '\(firstAs)':"
                + " name it in one of them")
    }
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

    func setting(_ name: String) -> String { "policy.\(self.name).\(name)" }
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
