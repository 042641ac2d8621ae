import Arbiter

/// What P5 needs: how much each VM was served, at moments a few seconds apart, and since when it has been backlogged.
///
/// Only VMs without reservation and limit are counted: all their service is of the shared part, by their weights, but
/// for what they get for their age.
struct FairnessBooks {
    /// Windows begin and end at these.
    private static let every = Nanoseconds.milliseconds(2_500)
    /// A guest that asks again within this of its answer has not stopped asking.
    private static let breath = Nanoseconds.milliseconds(1)

    private struct Place {
        var isCounted = false
        /// Whether it is registered and has ever asked: then its weight narrows what tags may stray by.
        var isActive = false
        var weight: Int64 = 1
        var waitsAtMost = Nanoseconds.zero
        var service: Int64 = 0
        var turns: Int64 = 0
        var backloggedSince = Instant.distantFuture
        var idleSince: Instant?
        var refusedAt: Instant?

        func isBacklogged(at now: Instant) -> Bool {
            if let idleSince { return now - idleSince <= FairnessBooks.breath }
            if let refusedAt { return now - refusedAt < Limits.backlogMemory }
            return true
        }
    }

    private var places: [Place]
    private var time: FluidTime
    private let guestTurn: Nanoseconds
    /// Service inside reservations is not told apart, nor who is barred by a limit: where there are such VMs, nothing
    /// is judged.
    private(set) var knowsTags = true
    private var activeWeights: Int64 = 0
    private var due: Instant
    private var moments: [Instant] = []
    /// For each moment, what each VM had been served and how often.
    private var served: [(service: Int64, turns: Int64)] = []

    init(tenants: Int, guestTurn: Nanoseconds, now: Instant) {
        places = Array(repeating: Place(), count: tenants)
        time = FluidTime(tenants: tenants, guestTurn: guestTurn)
        self.guestTurn = guestTurn
        due = now
    }

    // MARK: Events

    mutating func registered(_ tenant: Int, _ view: TenantView) {
        let before = places[tenant]
        places[tenant] = Place()
        places[tenant].isCounted = view.reservation == .zero && view.registration.limit == nil
        places[tenant].weight = view.registration.weight.value
        places[tenant].waitsAtMost = view.guestWaitMax
        places[tenant].service = before.service
        places[tenant].turns = before.turns
        time.registered(tenant, weight: view.registration.weight.value)
        if view.reservation > .zero || view.registration.limit != nil { knowsTags = false }
    }

    mutating func left(_ tenant: Int) {
        places[tenant].isCounted = false
        if places[tenant].isActive { activeWeights -= places[tenant].weight }
        places[tenant].isActive = false
        time.left(tenant)
    }

    mutating func asked(_ tenant: Int, at now: Instant) {
        if !places[tenant].isActive { activeWeights += places[tenant].weight }
        places[tenant].isActive = true
        time.passes(to: now)
        time.asked(tenant, at: now)
        if places[tenant].backloggedSince > now || !places[tenant].isBacklogged(at: now) {
            places[tenant].backloggedSince = now
        }
        places[tenant].idleSince = nil
        places[tenant].refusedAt = nil
    }

    mutating func refused(_ tenant: Int, at now: Instant) {
        places[tenant].refusedAt = now
        time.refused(tenant, at: now)
    }

    mutating func granted(_ tenant: Int) { time.granted(tenant) }

    mutating func served(_ tenant: Int, _ occupancy: Nanoseconds, at now: Instant, isAged: Bool) {
        places[tenant].service += occupancy.count
        places[tenant].turns += 1
        places[tenant].idleSince = now
        time.passes(to: now)
        time.served(tenant, occupancy, byItsShare: !isAged, at: now)
        if isAged { places[tenant].backloggedSince = now }
    }

    // MARK: Windows

    func isDue(at now: Instant) -> Bool { now >= due }

    /// Ends a window at this moment, and begins one.
    /// - Returns: every window that ends now, the longest first.
    mutating func windows(endingAt now: Instant, largestTurn: Nanoseconds) -> [FairnessWindow] {
        due = now + Self.every
        let windows = moments.indices.compactMap { window(from: $0, to: now, largestTurn) }
        time.leavesBehind(at: now)
        moments.append(now)
        for place in places { served.append((place.service, place.turns)) }
        return windows
    }

    private func window(from index: Int, to now: Instant, _ largestTurn: Nanoseconds) -> FairnessWindow? {
        var window = FairnessWindow(
            length: now - moments[index], largestTurn: largestTurn, plannedTurn: guestTurn,
            activeWeights: activeWeights)
        let first = index * places.count
        for (tenant, place) in places.enumerated()
        where place.isCounted && place.backloggedSince <= moments[index] && place.isBacklogged(at: now) {
            let before = served[first + tenant]
            window.add(
                tenant, place.service - before.service, place.turns - before.turns, weight: place.weight,
                waitsAtMost: place.waitsAtMost, isClamped: time.wasClamped(tenant, since: moments[index]))
        }
        return window.count >= 2 && !window.someoneIsTooLarge ? window : nil
    }
}

/// How evenly the VMs that were backlogged throughout a window were served by weight, and how far two of them strayed.
struct FairnessWindow {
    let length: Nanoseconds
    private let largestTurn: Int64
    private let plannedTurn: Nanoseconds
    private let activeWeights: Int64
    private(set) var count: Int64 = 0
    private var weights: Int64 = 0
    private(set) var unclamped = 0
    private var largestWeight: Int64 = 0
    private var leastWeight = Int64.max
    private var fewestTurns = Int64.max
    private var allTurns: Int64 = 0
    /// Weight × the longest wait in microseconds, of the VM for which that is least.
    private var leastPatience = Int64.max
    /// The most and the least served: who, service ÷ weight in thousandths, and s_g ÷ weight.
    private(set) var most = (tenant: 0, share: Int64.min, turn: Int64(0))
    private(set) var least = (tenant: 0, share: Int64.max, turn: Int64(0))
    private var sum: Int128 = 0
    private var squares: Int128 = 0

    init(length: Nanoseconds, largestTurn: Nanoseconds, plannedTurn: Nanoseconds, activeWeights: Int64) {
        self.length = length
        self.plannedTurn = plannedTurn
        self.activeWeights = activeWeights
        self.largestTurn = largestTurn.count
    }

    mutating func add(
        _ tenant: Int, _ service: Int64, _ turns: Int64, weight: Int64, waitsAtMost: Nanoseconds, isClamped: Bool
    ) {
        count += 1
        allTurns += turns
        leastPatience = min(leastPatience, weight * waitsAtMost.count / 1_000)
        weights += weight
        largestWeight = max(largestWeight, weight)
        leastWeight = min(leastWeight, weight)
        fewestTurns = min(fewestTurns, turns)
        let share = service * 1_000 / weight
        sum += Int128(share)
        squares += Int128(share) * Int128(share)
        if !isClamped { compare(tenant, share, largestTurn * 1_000 / weight) }
    }

    /// One turn is allowed to each: compared without it, the pair that strays most beyond its bound comes out.
    private mutating func compare(_ tenant: Int, _ share: Int64, _ turn: Int64) {
        unclamped += 1
        if most.share == .min || share - turn > most.share - most.turn { most = (tenant, share, turn) }
        if least.share == .max || share + turn < least.share + least.turn { least = (tenant, share, turn) }
    }

    /// A guest asks for its next report when it has the last: whose share is above a third cannot always use it, for
    /// while it breathes another is served.
    var someoneIsTooLarge: Bool { largestWeight * 3 > weights }

    var spread: Int64 { most.share - least.share }
    /// 4L + s_g/w_f + s_g/w_m, with the largest L: by the weights of those who were backlogged throughout.
    var bound: Int64 {
        4 * FluidTime.lead(count, weights: weights, guestTurn: plannedTurn) + most.turn + least.turn
    }

    /// Whether each VM's turn comes round within its longest wait: who waits longer is refused, and sleeps.
    private var turnsComeRound: Bool { length.count / 1_000 * weights <= leastPatience * allTurns }

    /// Whether one report moves no tag by more than half of what it may stray.
    private var eachReportIsLight: Bool {
        leastWeight * Limits.backlogMemory.count >= 2 * largestTurn * activeWeights
    }

    /// Jain's index in millionths, where the promise speaks of it: windows of 30 s, ten reports each. In whole numbers
    /// and from running sums, unlike `JainIndex`: the checker shares no code with what tells results.
    var jain: Int64? {
        guard length >= .seconds(30), fewestTurns >= 10, squares > 0, eachReportIsLight, turnsComeRound else {
            return nil
        }
        return Int64(sum * sum / Int128(count) * 1_000_000 / squares)
    }
}
