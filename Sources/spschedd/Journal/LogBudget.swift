import Arbiter

/// How much of the journal one account may fill: in each window some comings and goings of its VMs, as many records of
/// what went wrong, and beside them the first offence of each kind. The rest are counted: a flood that was named first
/// says nothing of the limit that it then met.
/// Windows grow while an account offends in every one of them.
struct LogBudget {
    private var began = Instant.distantPast
    private var window = DaemonLimits.logWindow.lowerBound
    private var comings = 0
    private var troubles = 0
    private var hasOffended = false
    /// Of at most as many kinds as are offences.
    private var named: Set<LogEvent> = []
    private var hasSpoken = false
    private var withheld = 0

    /// Whether a record may be written now.
    mutating func admitsRecord(at now: Instant, isRoutine: Bool = false) -> Bool {
        roll(now)
        let admits = (isRoutine ? comings : troubles) < DaemonLimits.logRecordsPerAccount
        if !admits { withheld += 1 }
        if isRoutine { comings += 1 } else { troubles += 1 }
        return admits
    }

    /// Whether a record about the daemon itself may be written now. One that `saysAgain` what the last one said may
    /// only if this window has none yet; else it makes the next window longer.
    mutating func admitsRecord(at now: Instant, saysAgain: Bool) -> Bool {
        roll(now)
        if saysAgain && hasSpoken {
            hasOffended = true
            withheld += 1
            return false
        }
        hasSpoken = true
        return admitsRecord(at: now)
    }

    /// Whether an offence may be named now, or a disconnection that it led to: the first of its kind in a window may.
    mutating func admitsOffence(_ kind: LogEvent, at now: Instant) -> Bool {
        roll(now)
        hasOffended = true
        let admits = named.insert(kind).inserted
        if !admits { withheld += 1 }
        return admits
    }

    /// How many records were withheld, once the window they belong to has passed, or even earlier.
    mutating func takeWithheld(at now: Instant, evenEarly: Bool = false) -> Int? {
        guard withheld > 0, evenEarly || now - began >= window else { return nil }
        defer { withheld = 0 }
        return withheld
    }

    /// Whether its window is over and everything in it told.
    func isQuiet(at now: Instant) -> Bool { withheld == 0 && now - began >= window }

    private mutating func roll(_ now: Instant) {
        guard now - began >= window else { return }
        let limits = DaemonLimits.logWindow
        // An account that has kept quiet for a whole window begins anew.
        let goesOn = hasOffended && now - began < window * 2
        window = goesOn ? min(window * 2, limits.upperBound) : limits.lowerBound
        began = now
        comings = 0
        troubles = 0
        hasOffended = false
        named.removeAll(keepingCapacity: true)
        hasSpoken = false
    }
}
