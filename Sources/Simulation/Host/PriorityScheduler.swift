import Arbiter

/// The baseline of `HostPolicy.priority`: turns by strict priority, with a hold and a floor if wanted, no more.
///
/// Launches go first, by the beginning of their session; then guests, first come, first served. Bounded by its owner:
/// one request for each launch and each guest.
struct PriorityScheduler: Sendable {
    enum Asker: Equatable, Sendable {
        case guest(Int)
        /// A launch's place, and when its session began.
        case launch(Int, order: UInt64)
    }

    private enum Turn: Equatable, Sendable {
        case guest
        case launch(order: UInt64)
    }

    private let hold: Nanoseconds
    private var floor: GuestFloor?
    private var launches: [(place: Int, order: UInt64)] = []
    private var guests: [Int] = []
    /// The guests before it have had their turns.
    private var firstGuest = 0
    private var turn: Turn?
    /// The open session whose last turn ended, and when the SP is no longer kept for it.
    private var holder: (order: UInt64, until: Instant)?
    private var clock: Instant

    init(_ configuration: Configuration, hold: Bool, floor: Bool, now: Instant) {
        self.hold = hold ? configuration.hold : .zero
        self.floor = floor ? GuestFloor(configuration) : nil
        clock = now
    }

    // MARK: Asking

    mutating func ask(_ asker: Asker, now: Instant) {
        pass(to: now)
        switch asker {
        case .guest(let guest): guests.append(guest)
        case .launch(let place, let order):
            let index = launches.firstIndex { $0.order > order } ?? launches.count
            launches.insert((place, order), at: index)
            if holder?.order == order { holder = nil }
        }
    }

    /// The turn is over. A launch that goes on keeps the SP for a moment.
    mutating func release(now: Instant) {
        pass(to: now)
        if case .launch(let order) = turn, hold > .zero { holder = (order, now + hold) }
        turn = nil
    }

    /// The launch is over, or gone with what it asked and held.
    mutating func close(order: UInt64, now: Instant) {
        pass(to: now)
        launches.removeAll { $0.order == order }
        if holder?.order == order { holder = nil }
        if turn == .launch(order: order) { turn = nil }
    }

    // MARK: Choosing

    var isIdle: Bool { turn == nil }
    var hasWaiting: Bool { !launches.isEmpty || hasGuests }
    private var hasGuests: Bool { firstGuest < guests.count }

    func isHolding(at now: Instant) -> Bool { holder.map { $0.until > now } ?? false }

    /// Grants the next turn, if there is one to grant.
    mutating func next(now: Instant) -> Asker? {
        pass(to: now)
        guard turn == nil else { return nil }
        let launch = launches.first
        let isKept = holder.map { $0.until > now && $0.order < launch?.order ?? .max } ?? false
        if hasGuests, launch == nil && !isKept || floor?.covers == true { return grantGuest() }
        guard let launch, !isKept else { return nil }
        launches.removeFirst()
        turn = .launch(order: launch.order)
        return .launch(launch.place, order: launch.order)
    }

    /// When `next` may have something to give, if nothing else happens before.
    func wake(now: Instant) -> Instant {
        guard turn == nil, hasWaiting, let holder, holder.until > now else { return .distantFuture }
        guard hasGuests, let floor else { return holder.until }
        return min(holder.until, clock + floor.timeToCover)
    }

    private mutating func grantGuest() -> Asker {
        let guest = guests[firstGuest]
        firstGuest += 1
        // Moved together when half of it is empty: each is moved at most once on its way through.
        if firstGuest * 2 > guests.count {
            guests.removeFirst(firstGuest)
            firstGuest = 0
        }
        turn = .guest
        return .guest(guest)
    }

    private mutating func pass(to now: Instant) {
        let isWanted = hasGuests
        floor?.pass(now - clock, isWanted: isWanted, isServing: turn == .guest)
        clock = now
    }
}

/// A deferrable floor as the Arbiter's rule 2 has it, without that rule's refinements.
private struct GuestFloor: Sendable {
    private let share: Share
    private let least: Int64
    private let most: Int64
    private let cost: Int64
    /// In thousandths of a nanosecond.
    private var level: Int64

    init(_ configuration: Configuration) {
        share = configuration.floorShare
        let costs = configuration.planningCosts
        least = -share.of(configuration.floorDelay).count * 1_000
        cost = costs.report.count * 1_000
        most = cost + share.of(costs.launchPage * Int64(configuration.chunkPages)).count * 1_000
        level = least
    }

    var covers: Bool { level >= cost }
    var timeToCover: Nanoseconds {
        Nanoseconds(max(cost - level + share.perMille - 1, 0) / max(share.perMille, 1))
    }

    mutating func pass(_ elapsed: Nanoseconds, isWanted: Bool, isServing: Bool) {
        let counted = min(elapsed, .seconds(7_200)).count
        let change = counted * ((isWanted || isServing ? share.perMille : 0) - (isServing ? 1_000 : 0))
        level = max(min(level + change, most), least)
    }
}
