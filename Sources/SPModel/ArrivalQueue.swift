import Arbiter

/// Jobs by arrival; equal arrivals in the order they came. Bounded by its owner: one job for each origin.
struct ArrivalQueue: Sendable {
    struct Waiting: Sendable {
        let arrival: Instant
        let job: Job
    }

    /// Sorted; the first `head` have left.
    private var waiting: [Waiting] = []
    private var head = 0

    var count: Int { waiting.count - head }

    var first: Waiting? { head < waiting.count ? waiting[head] : nil }

    /// Nearly always the latest so far: searched for from the back.
    mutating func insert(_ job: Job, arrival: Instant) {
        var index = waiting.count
        while index > head, waiting[index - 1].arrival > arrival { index -= 1 }
        waiting.insert(Waiting(arrival: arrival, job: job), at: index)
    }

    /// There must be a first.
    mutating func removeFirst() {
        head += 1
        // Moved together when half of it is empty: each job is moved at most once on its way through.
        guard head * 2 > waiting.count else { return }
        waiting.removeFirst(head)
        head = 0
    }

    mutating func remove(origin: UInt64) {
        waiting.removeFirst(head)
        head = 0
        waiting.removeAll { $0.job.origin == origin }
    }
}
