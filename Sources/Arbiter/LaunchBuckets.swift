/// An amount of launch work in SP time that drains at a steady rate, evaluated when looked at.
struct DrainingLevel: Sendable {
    private var level = Nanoseconds.zero
    private var asOf = Instant.distantPast

    /// What it was when last set: it has only drained since.
    var highest: Nanoseconds { level }

    func level(at now: Instant, drainPerSecond: Nanoseconds) -> Nanoseconds {
        // 128 bits between: a bucket may drain for days. No rate is above a second in a second, so the result fits.
        let elapsed = max(now - asOf, .zero).count
        let second = Nanoseconds.seconds(1).count
        let drained = second.dividingFullWidth(elapsed.multipliedFullWidth(by: drainPerSecond.count)).quotient
        return max(level - Nanoseconds(drained), .zero)
    }

    mutating func set(_ level: Nanoseconds, at now: Instant) {
        self.level = level
        asOf = now
    }

    func save(into words: inout [UInt64]) {
        words.put(level)
        words.put(asOf)
    }

    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        level = try state.duration()
        asOf = try state.instant()
    }

    /// How long `amount` takes to drain, rounded up to a millisecond.
    static func timeToDrain(_ amount: Nanoseconds, perSecond: Nanoseconds) -> Nanoseconds {
        guard perSecond > .zero else { return .seconds(3_600) }
        return .milliseconds(amount.count / max(perSecond.count / 1_000, 1) + 1)
    }
}

/// What a VM or an account owes of launch work.
struct LaunchDebt: Sendable {
    private var owed = DrainingLevel()

    init() {}

    init(restoring state: inout StateReader) throws(StateProblem) { try owed.restore(&state) }

    func save(into words: inout [UInt64]) { owed.save(into: &words) }

    mutating func add(_ work: Nanoseconds, at now: Instant, _ bucket: LaunchBucket) {
        let before = owed.level(at: now, drainPerSecond: bucket.perSecond)
        owed.set(max(before + work, .zero), at: now)
    }

    /// How long until a launch of `work` fits; zero if it fits. An empty debt admits a launch of any size.
    func wait(for work: Nanoseconds, at now: Instant, _ bucket: LaunchBucket) -> Nanoseconds {
        let owed = owed.level(at: now, drainPerSecond: bucket.perSecond)
        guard owed > .zero, owed + work > bucket.burst else { return .zero }
        return DrainingLevel.timeToDrain(min(owed, owed + work - bucket.burst), perSecond: bucket.perSecond)
    }

    func level(at now: Instant, _ bucket: LaunchBucket) -> Nanoseconds {
        owed.level(at: now, drainPerSecond: bucket.perSecond)
    }

    func isPaid(at now: Instant, _ bucket: LaunchBucket) -> Bool { level(at: now, bucket) == .zero }
}

/// Whether launches, holds included, use more than their reserve: work above `Lr·W + β_L` in some window.
///
/// Kept to twice the burst, so that reservations return within `β_L / Lr` after a storm.
struct LaunchOverload: Sendable {
    let reservePerSecond: Nanoseconds
    let burst: Nanoseconds
    private var work = DrainingLevel()

    init(reservePerSecond: Nanoseconds, burst: Nanoseconds) {
        self.reservePerSecond = reservePerSecond
        self.burst = burst
    }

    /// The same work, which from now on drains at another rate.
    func adopting(reservePerSecond: Nanoseconds, burst: Nanoseconds, at now: Instant) -> Self {
        var next = Self(reservePerSecond: reservePerSecond, burst: burst)
        let level = work.level(at: now, drainPerSecond: self.reservePerSecond)
        next.work.set(min(level, burst * 2), at: now)
        return next
    }

    /// Launches used or held the SP for the whole of `elapsed`, which ends now.
    mutating func add(_ elapsed: Nanoseconds, at now: Instant) {
        let before = work.level(at: now - elapsed, drainPerSecond: reservePerSecond)
        work.set(before + elapsed, at: now - elapsed)
        work.set(min(work.level(at: now, drainPerSecond: reservePerSecond), burst * 2), at: now)
    }

    func isOverloaded(at now: Instant) -> Bool {
        mayBeOverloaded && work.level(at: now, drainPerSecond: reservePerSecond) > burst
    }

    /// It only drains: most of the time the question is answered without reckoning.
    var mayBeOverloaded: Bool { work.highest > burst }

    /// When the overload ends if no launch runs; `nil` if there is none.
    func ends(after now: Instant) -> Instant? {
        let over = work.level(at: now, drainPerSecond: reservePerSecond) - burst
        guard over > .zero else { return nil }
        return now + DrainingLevel.timeToDrain(over, perSecond: reservePerSecond)
    }

    func save(into words: inout [UInt64]) { work.save(into: &words) }
    mutating func restore(_ state: inout StateReader) throws(StateProblem) { try work.restore(&state) }
}
