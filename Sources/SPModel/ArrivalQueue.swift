import Arbiter

/// Jobs by arrival; equal arrivals in the order they came. Bounded by its owner: one job for each origin.
///
/// A ring: jobs come in nearly always at the back, and leave at the front.
struct ArrivalQueue: Sendable {
    struct Waiting: Sendable {
        var arrival: Instant
        var job: Job
    }

    /// Sorted from `head` on, around the end. Its length is a power of two.
    private var ring: [Waiting?] = [nil, nil, nil, nil]
    private var head = 0
    private(set) var count = 0

    var first: Waiting? { count == 0 ? nil : ring[head] }

    var firstArrival: Instant? { count == 0 ? nil : ring[head]?.arrival }

    /// Nearly always the latest so far: searched for from the back.
    mutating func insert(_ job: Job, arrival: Instant) {
        if count == ring.count { grow() }
        var place = count
        while place > 0, let before = ring[index(place - 1)], before.arrival > arrival {
            ring[index(place)] = before
            place -= 1
        }
        ring[index(place)] = Waiting(arrival: arrival, job: job)
        count += 1
    }

    /// There must be a first.
    mutating func removeFirst() {
        head = index(1)
        count -= 1
    }

    mutating func remove(origin: UInt64) {
        let kept = (0..<count).compactMap { ring[index($0)] }.filter { $0.job.origin != origin }
        head = 0
        count = kept.count
        ring.replaceSubrange(0..<count, with: kept)
    }

    private func index(_ place: Int) -> Int { (head + place) & (ring.count - 1) }

    private mutating func grow() {
        let all = (0..<count).map { ring[index($0)] }
        ring = all + Array(repeating: nil, count: count)
        head = 0
    }
}
