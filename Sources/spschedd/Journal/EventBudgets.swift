import Arbiter

/// How often the daemon says something about itself: each event has a budget, as an account has one, and a record that
/// says again what its event's last one said is withheld for the rest of the window. Windows grow while that goes on.
struct EventBudgets {
    private struct Entry {
        var budget = LogBudget()
        var lastMessage: String?
    }

    /// At most one for each case of `LogEvent`.
    private var entries: [LogEvent: Entry] = [:]

    mutating func admits(_ event: LogEvent, saying message: String, at now: Instant) -> Bool {
        var entry = entries[event] ?? Entry()
        defer { entries[event] = entry }
        let isRepeated = entry.lastMessage == message
        entry.lastMessage = message
        return entry.budget.admitsRecord(at: now, saysAgain: isRepeated)
    }

    /// How many records of which event were withheld, of those whose window is over.
    mutating func takeWithheld(at now: Instant, evenEarly: Bool = false) -> [(LogEvent, Int)] {
        LogEvent.allCases.compactMap { event in
            guard let count = entries[event]?.budget.takeWithheld(at: now, evenEarly: evenEarly) else { return nil }
            return (event, count)
        }
    }
}
