import Arbiter

/// Tells a client that asks for turns from one that floods: how much it did, messages or connections, that earned it no
/// turn. A turn takes two messages or three; whoever sends many more in a second is served after the others, until it
/// has kept within the budget for a while.
struct UnearnedBudget {
    private let limit: Int
    private var began = Instant.distantPast
    private var unearned = 0
    /// When it was last over the budget.
    private var exceededAt: Instant?

    init(limit: Int) { self.limit = limit }

    enum Verdict: Equatable {
        case within
        /// This one is the first beyond.
        case exceeded
        /// It was over the budget, and has not kept within it for long enough.
        case deferred
        /// It has. The verdict comes once.
        case restored
    }

    /// A message came, or a connection.
    mutating func spend(at now: Instant) -> Verdict {
        if now - began >= DaemonLimits.budgetWindow {
            began = now
            unearned = 0
        }
        unearned += 1
        if unearned > limit {
            defer { exceededAt = now }
            return exceededAt == nil ? .exceeded : .deferred
        }
        guard let exceededAt else { return .within }
        guard now - exceededAt >= DaemonLimits.deferredFor else { return .deferred }
        self.exceededAt = nil
        return .restored
    }

    /// A turn was granted: it pays for what was done around it.
    mutating func earn() { unearned = max(unearned - DaemonLimits.messagesPerTurn, 0) }

    /// It goes on, though slowly.
    mutating func deferAgain(at now: Instant) { exceededAt = now }

    var isExceeded: Bool { exceededAt != nil }
}
