/// The guest floor (rule 2): one bucket of SP time that grows at φ while a guest waits and pays for all guest service.
///
/// It starts, and bottoms out, at -φ·D, so that it acts only when launches kept guests waiting for D (deferrable, like
/// Linux's `dl_server`); it holds at most one guest turn and what grows during one launch turn.
///
/// A turn that the floor itself granted is owed in full, also below that: it may take longer than planned.
///
/// The launch turn is the planned one, or a longer one while it lasts: a bucket that is full before the turn ends would
/// give guests less than their share.
struct FloorBucket: Sendable {
    let share: Share
    let least: Nanoseconds
    /// Where a floor's turn may take it at the worst: to the end of the longest lease.
    let deepest: Nanoseconds
    /// Whether the guest turn in service was granted by the floor.
    var isOwedInFull = false
    private let guestTurn: Nanoseconds
    private let launchTurn: Nanoseconds
    /// The highest level there may have been.
    private(set) var most: Nanoseconds
    /// The level in thousandths of a nanosecond: growth at a share in thousandths is then exact.
    private var level: Int64

    init(share: Share, delay: Nanoseconds, largestGuestTurn: Nanoseconds, largestLaunchTurn: Nanoseconds) {
        self.share = share
        least = -share.of(delay)
        deepest = least - largestGuestTurn * (Limits.leaseFactor * Limits.costBeliefFactor) - Limits.leaseGrace
        guestTurn = largestGuestTurn
        launchTurn = largestLaunchTurn
        most = largestGuestTurn + share.of(largestLaunchTurn)
        level = least.count * 1_000
    }

    /// The same level under another configuration: what guests have earned stays theirs.
    func adopting(
        share: Share, delay: Nanoseconds, largestGuestTurn: Nanoseconds, largestLaunchTurn: Nanoseconds
    ) -> Self {
        var next = Self(
            share: share, delay: delay, largestGuestTurn: largestGuestTurn, largestLaunchTurn: largestLaunchTurn)
        next.isOwedInFull = isOwedInFull
        next.level = max(level, next.deepest.count * 1_000)
        next.most = max(next.most, balance)
        return next
    }

    var balance: Nanoseconds { Nanoseconds(level / 1_000) }

    /// Time passes in which guests wait or are served. Service is paid for as it goes on: paid for at its end only,
    /// what grows meanwhile would overflow the bucket.
    ///
    /// - Parameter launchTurn: how long the launch turn in service has lasted by then; zero if there is none.
    mutating func pass(
        _ elapsed: Nanoseconds, isWanted: Bool = true, isServing: Bool = false, launchTurn: Nanoseconds = .zero
    ) {
        let full = guestTurn + share.of(max(self.launchTurn, launchTurn))
        most = max(most, full)
        // After so long it is full, or at its bottom: the product stays inside 64 bits though the host was suspended.
        let counted = min(elapsed, .seconds(7_200)).count
        let change = counted * ((isWanted ? share.perMille : 0) - (isServing ? 1_000 : 0))
        let bottom = isServing && isOwedInFull ? deepest : least
        level = max(min(level + change, max(level, full.count * 1_000)), min(level, bottom.count * 1_000))
    }

    func covers(_ cost: Nanoseconds) -> Bool { level >= cost.count * 1_000 }

    /// How long it must grow until it covers `cost`; zero if it does.
    func timeToCover(_ cost: Nanoseconds) -> Nanoseconds {
        let lacking = cost.count * 1_000 - level
        guard lacking > 0 else { return .zero }
        return Nanoseconds((lacking + share.perMille - 1) / share.perMille)
    }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        words.put(most)
        words.put(level)
        words.put(flags: isOwedInFull)
    }

    /// Under another configuration than it was saved with, the level is moved into the new bounds.
    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        most = max(most, try state.duration())
        let levels = -Nanoseconds.seconds(86_400).count * 1_000...Nanoseconds.seconds(86_400).count * 1_000
        level = max(try state.integer(in: levels, "the floor's level"), deepest.count * 1_000)
        isOwedInFull = try state.flags(1)[0]
    }
}
