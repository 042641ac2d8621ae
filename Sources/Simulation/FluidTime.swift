import Arbiter

/// The checker's own reckoning of rule 6 (c): a virtual time that goes by the service given, and a tag for each VM.
///
/// P5 speaks of VMs whose tags were not clamped. This tells when one was, or would have been. It is kept in
/// thousandths of a nanosecond per unit of weight.
struct FluidTime {
    private struct Tag {
        var value: Int64 = 0
        var weight: Int64 = 1
        var isBacklogged = false
        var isQueued = false
        /// L when it last asked: the more VMs come, the less it may lag.
        var leadThen: Int64 = 0
        /// When it was last beyond what it may stray, or was left behind by a time that followed others.
        var clampedAt = Instant.distantPast
        /// Which of its refusals is the last.
        var refusal = 0
    }

    private struct Expected {
        let until: Instant
        let tenant: Int
        let refusal: Int
    }

    private var tags: [Tag]
    private var now: Int64 = 0
    private var weights: Int64 = 0
    private var backlogged: Int64 = 0
    private let guestTurn: Nanoseconds
    /// Refused VMs, in the order in which they cease to be expected back.
    private var expected: [Expected] = []
    private var firstExpected = 0

    /// - Parameter guestTurn: what a report is planned to cost.
    init(tenants: Int, guestTurn: Nanoseconds) {
        tags = Array(repeating: Tag(), count: tenants)
        self.guestTurn = guestTurn
    }

    /// L: how far a tag may stray.
    private var lead: Int64 { Self.lead(backlogged, weights: weights, guestTurn: guestTurn) }

    /// Two retry quanta, or two rounds of reports if these take longer, over the sum of weights.
    static func lead(_ backlogged: Int64, weights: Int64, guestTurn: Nanoseconds) -> Int64 {
        weights == 0 ? 0 : max(Limits.backlogMemory.count, 2 * backlogged * guestTurn.count) * 1_000 / weights
    }

    /// Nearer to the end than this counts as clamped: the Arbiter rounds otherwise.
    private var nearly: Int64 { lead - lead / 64 }

    // MARK: Events

    mutating func registered(_ tenant: Int, weight: Int64) {
        leave(tenant)
        let refusal = tags[tenant].refusal + 1
        tags[tenant] = Tag()
        tags[tenant].value = now
        tags[tenant].weight = weight
        tags[tenant].refusal = refusal
    }

    mutating func left(_ tenant: Int) {
        leave(tenant)
        tags[tenant].isQueued = false
        tags[tenant].refusal += 1
    }

    mutating func asked(_ tenant: Int, at clock: Instant) {
        join(tenant)
        tags[tenant].refusal += 1
        tags[tenant].isQueued = true
        if isBeyond(tenant) { tags[tenant].clampedAt = clock }
        let distance = tags[tenant].value - now
        tags[tenant].value = now + min(max(distance, -lead), lead)
        tags[tenant].leadThen = nearly
    }

    private func isBeyond(_ tenant: Int) -> Bool {
        let distance = tags[tenant].value - now
        if distance >= nearly { return weights > tags[tenant].weight }
        // One that fell behind was passed over: no clamp excuses that, but that more VMs came and narrowed its bound.
        return distance <= -nearly && -distance < tags[tenant].leadThen
    }

    /// A window begins, or the time was moved: those that it left behind, or ahead, are not what a window is about.
    mutating func leavesBehind(at clock: Instant) {
        for tenant in tags.indices where abs(now - tags[tenant].value) >= nearly { tags[tenant].clampedAt = clock }
    }

    /// Whether its tag was clamped since then, or would be if it asked.
    func wasClamped(_ tenant: Int, since: Instant) -> Bool { tags[tenant].clampedAt >= since || isBeyond(tenant) }

    mutating func refused(_ tenant: Int, at clock: Instant) {
        tags[tenant].isQueued = false
        tags[tenant].refusal += 1
        expected.append(
            Expected(until: clock + Limits.backlogMemory, tenant: tenant, refusal: tags[tenant].refusal))
    }

    mutating func granted(_ tenant: Int) { tags[tenant].isQueued = false }

    mutating func served(_ tenant: Int, _ occupancy: Nanoseconds, byItsShare: Bool, at clock: Instant) {
        defer { leave(tenant) }
        guard byItsShare, weights > 0 else { return }
        now += occupancy.count * 1_000 / weights
        let tag = tags[tenant].value + occupancy.count * 1_000 / tags[tenant].weight
        tags[tenant].value = min(tag, now + lead)
        if tag - now >= nearly { tags[tenant].clampedAt = clock }
        follow(tags[tenant].value, at: clock)
    }

    /// VMs that have not come back in time no longer count.
    mutating func passes(to clock: Instant) {
        while firstExpected < expected.count, expected[firstExpected].until <= clock {
            let gone = expected[firstExpected]
            firstExpected += 1
            if tags[gone.tenant].refusal == gone.refusal { leave(gone.tenant) }
        }
        if firstExpected > 1_000 {
            expected.removeFirst(firstExpected)
            firstExpected = 0
        }
    }

    // MARK: Sums

    private mutating func join(_ tenant: Int) {
        guard !tags[tenant].isBacklogged else { return }
        tags[tenant].isBacklogged = true
        backlogged += 1
        weights += tags[tenant].weight
    }

    private mutating func leave(_ tenant: Int) {
        guard tags[tenant].isBacklogged else { return }
        tags[tenant].isBacklogged = false
        backlogged -= 1
        weights -= tags[tenant].weight
    }

    /// When all that compete lead by half of what they may, the time follows them; it goes back to them when they lag
    /// by a quarter.
    private mutating func follow(_ served: Int64, at clock: Instant) {
        let (leads, lags) = (served - now > lead / 2, now - served > lead / 4)
        guard leads || lags else { return }
        var (least, most) = (served, served)
        for tag in tags where tag.isQueued {
            least = min(least, tag.value)
            most = max(most, tag.value)
        }
        let before = now
        if least - now > lead / 2 { now = least - lead / 2 }
        now = min(now, most + lead / 4)
        if now != before { leavesBehind(at: clock) }
    }
}
