import Arbiter

/// How much of the journal one account may fill: its first mistake and its first records in each window. The rest are
/// counted.
struct LogBudget {
    private var began = Instant.distantPast
    private var records = 0
    private var hasNamedMistake = false
    private var withheld = 0

    /// Whether a record may be written now.
    mutating func admitsRecord(at now: Instant) -> Bool {
        roll(now)
        guard records < DaemonLimits.logRecordsPerAccount else {
            withheld += 1
            return false
        }
        records += 1
        return true
    }

    /// Whether a mistake may be named now: the first of a window may.
    mutating func admitsMistake(at now: Instant) -> Bool {
        roll(now)
        guard !hasNamedMistake, admitsRecord(at: now) else {
            withheld += hasNamedMistake ? 1 : 0
            return false
        }
        hasNamedMistake = true
        return true
    }

    /// How many records were withheld, once the window they belong to has passed.
    mutating func takeWithheld(at now: Instant) -> Int? {
        guard withheld > 0, now - began >= DaemonLimits.logWindow else { return nil }
        defer { withheld = 0 }
        return withheld
    }

    private mutating func roll(_ now: Instant) {
        guard now - began >= DaemonLimits.logWindow else { return }
        began = now
        records = 0
        hasNamedMistake = false
    }
}
