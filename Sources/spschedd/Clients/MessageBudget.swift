import Arbiter

/// Tells a client that asks for turns from one that floods. A turn takes two messages or three; whoever sends hundreds
/// in a second without earning any is served after the others, until it has kept within the budget for a while.
struct MessageBudget {
    private var began = Instant.distantPast
    private var unearned = 0
    /// When it was last over the budget.
    private var exceededAt: Instant?

    enum Verdict: Equatable {
        case within
        /// This message is the first beyond.
        case exceeded
        /// It was over the budget, and has not kept within it for long enough.
        case deferred
        /// It has. The verdict comes once.
        case restored
    }

    /// A message came.
    mutating func spend(at now: Instant) -> Verdict {
        if now - began >= DaemonLimits.budgetWindow {
            began = now
            unearned = 0
        }
        unearned += 1
        if unearned > DaemonLimits.unearnedMessages {
            defer { exceededAt = now }
            return exceededAt == nil ? .exceeded : .deferred
        }
        guard let exceededAt else { return .within }
        guard now - exceededAt >= DaemonLimits.deferredFor else { return .deferred }
        self.exceededAt = nil
        return .restored
    }

    /// A turn was granted: it pays for the messages around it.
    mutating func earn() { unearned = max(unearned - DaemonLimits.messagesPerTurn, 0) }

    var isExceeded: Bool { exceededAt != nil }
}
