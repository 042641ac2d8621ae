/// A binary heap over slots 0 ..< capacity, ordered by (key, tie), in which any slot can be found, moved and removed.
///
/// Holds each slot at most once. Fixed capacity, no allocation after `init`; every operation but `first` is O(log n).
struct IndexedHeap: Sendable {
    private struct Entry {
        var key: Int64
        var tie: Int64
        var slot: Int32

        func precedes(_ other: Entry) -> Bool { key != other.key ? key < other.key : tie < other.tie }
    }

    private var entries: [Entry] = []
    /// Where each slot stands in `entries`, or -1.
    private var positions: [Int32]

    init(capacity: Int) {
        entries.reserveCapacity(capacity)
        positions = Array(repeating: -1, count: capacity)
    }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var first: Int? { entries.isEmpty ? nil : Int(entries[0].slot) }
    var firstKey: Int64? { entries.isEmpty ? nil : entries[0].key }

    func contains(_ slot: Int) -> Bool { positions[slot] >= 0 }

    func key(of slot: Int) -> Int64? {
        let position = positions[slot]
        return position < 0 ? nil : entries[Int(position)].key
    }

    /// Whether `slot` (which must be inside) comes before every other slot of `self`.
    func isFirst(_ slot: Int) -> Bool { positions[slot] == 0 }

    /// Inserts the slot, or moves it to its new place.
    mutating func set(_ slot: Int, key: Int64, tie: Int64) {
        let entry = Entry(key: key, tie: tie, slot: Int32(slot))
        let position = Int(positions[slot])
        guard position >= 0 else {
            entries.append(entry)
            siftUp(from: entries.count - 1)
            return
        }
        let movesUp = entry.precedes(entries[position])
        entries[position] = entry
        if movesUp { siftUp(from: position) } else { siftDown(from: position) }
    }

    /// Puts the slot in its place, or makes sure that it is not inside.
    mutating func set(_ slot: Int, key: Int64, tie: Int64, inside: Bool) {
        if inside { set(slot, key: key, tie: tie) } else { remove(slot) }
    }

    /// Removes the slot if it is inside.
    mutating func remove(_ slot: Int) {
        let position = Int(positions[slot])
        guard position >= 0 else { return }
        positions[slot] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        let movesUp = last.precedes(entries[position])
        entries[position] = last
        if movesUp { siftUp(from: position) } else { siftDown(from: position) }
    }

    private mutating func siftUp(from start: Int) {
        let entry = entries[start]
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.precedes(entries[parent]) else { break }
            place(entries[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func siftDown(from start: Int) {
        let entry = entries[start]
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
            guard entries[child].precedes(entry) else { break }
            place(entries[child], at: position)
            position = child
        }
        place(entry, at: position)
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        entries[position] = entry
        positions[Int(entry.slot)] = Int32(position)
    }

    // MARK: Its state

    /// By slot: where an entry stands in the heap follows from its history, which nobody can notice.
    func save(into words: inout [UInt64]) {
        words.put(entries.count)
        for slot in positions.indices where positions[slot] >= 0 {
            let entry = entries[Int(positions[slot])]
            words.put(slot)
            words.put(entry.key)
            words.put(entry.tie)
        }
    }

    /// Fills it; it must be empty.
    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        for _ in 0..<(try state.count(atMost: positions.count, "the entries of a queue")) {
            let slot = try state.slot(below: positions.count)
            guard !contains(slot) else { throw state.problem("has a slot twice in a queue") }
            set(slot, key: try state.integer(), tie: try state.integer())
        }
    }
}
