import Arbiter
import LinuxIO

/// Whom the caps apply to: a user, and the security label that tells one user's domains apart.
struct AccountKey: Hashable {
    let uid: UInt32
    let label: String

    init(_ peer: PeerIdentity) {
        uid = peer.uid
        label = peer.label
    }

    init(uid: UInt32, label: String) {
        self.uid = uid
        self.label = label
    }

    var text: String { label.isEmpty ? "uid \(uid)" : "uid \(uid), label \(label)" }
}

final class Account {
    let key: AccountKey
    let id: AccountID
    var connections = 0
    var vms = 0
    /// Launch sessions that are open.
    var launches = 0
    /// Connections that came.
    var arrivals = UnearnedBudget(limit: DaemonLimits.unearnedConnections)
    var journal = LogBudget()

    init(key: AccountKey, id: AccountID) {
        self.key = key
        self.id = id
    }

    var isUnused: Bool { connections == 0 && vms == 0 }

    /// Whether nothing is to be remembered of it: who offends and hangs up must not begin anew.
    func isForgettable(at now: Instant) -> Bool { isUnused && journal.isQuiet(at: now) && !arrivals.isExceeded }
}

/// The accounts that have a connection or a VM, or owe launch work.
struct AccountTable {
    private var accounts: [AccountKey: Account] = [:]

    var count: Int { accounts.count }

    subscript(key: AccountKey) -> Account? { accounts[key] }

    /// At start only: it looks through all.
    subscript(id: AccountID) -> Account? { accounts.values.first { $0.id == id } }

    mutating func insert(_ account: Account) { accounts[account.key] = account }

    /// Forgets the accounts that `isEligible` and that `close` agrees to give up.
    mutating func sweep(_ isEligible: (Account) -> Bool, _ close: (AccountID) -> Bool) {
        for account in accounts.values where isEligible(account) && close(account.id) { accounts[account.key] = nil }
    }

    func forEach(_ body: (Account) -> Void) { accounts.values.forEach(body) }
}
