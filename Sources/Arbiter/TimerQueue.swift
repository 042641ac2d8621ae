/// Timers 0 ..< capacity, of which most are set and cleared again long before they are due.
///
/// Setting a timer later, and clearing one, leave its entry in the heap where it stands; when the entry comes up, it is
/// moved to where it belongs, or dropped. A guest's wait and a turn's lease, set and cleared with every turn, then cost
/// the heap a step a wait, not four a turn. The price: `next` may name a moment at which nothing is due.
struct TimerQueue: Sendable {
    private static let unset = Int64.max

    /// When each timer is looked at: never after it is due.
    private var looks: IndexedHeap
    private var due: [Int64]

    init(capacity: Int) {
        looks = IndexedHeap(capacity: capacity)
        due = Array(repeating: Self.unset, count: capacity)
    }

    /// When to look again: no timer is due before.
    var next: Instant? { looks.firstKey.map { Instant(sinceBoot: Nanoseconds($0)) } }

    mutating func set(_ index: Int, at instant: Instant) {
        let key = instant.sinceBoot.count
        due[index] = key
        if let look = looks.key(of: index), look <= key { return }
        looks.set(index, key: key, tie: Int64(index))
    }

    mutating func clear(_ index: Int) { due[index] = Self.unset }

    /// Takes the first timer that is due at `now`: by time, then by index.
    mutating func takeDue(at now: Instant) -> (index: Int, due: Instant)? {
        while let index = looks.first, let look = looks.firstKey, look <= now.sinceBoot.count {
            let key = due[index]
            if key > look, key != Self.unset {
                looks.set(index, key: key, tie: Int64(index))
                continue
            }
            looks.remove(index)
            guard key != Self.unset else { continue }
            due[index] = Self.unset
            return (index, Instant(sinceBoot: Nanoseconds(key)))
        }
        return nil
    }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        words.put(looks.count)
        for index in due.indices {
            guard let look = looks.key(of: index) else { continue }
            words.put(index)
            words.put(look)
            words.put(due[index])
        }
    }

    /// Fills it; it must be empty.
    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        for _ in 0..<(try state.count(atMost: due.count, "the timers")) {
            let index = try state.slot(below: due.count)
            guard !looks.contains(index) else { throw state.problem("has a timer twice") }
            let look = try state.instant().sinceBoot.count
            due[index] = try state.integer(in: look...Self.unset, "when a timer is due")
            looks.set(index, key: look, tie: Int64(index))
        }
    }
}
