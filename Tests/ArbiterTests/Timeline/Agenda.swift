@testable import Arbiter

/// What will happen on a virtual host, by time. At one instant: first releases, then the Arbiter's own wake-up, then
/// what clients ask, then whoever looks.
struct Agenda {
    enum Order: Int { case release, wake, ask, look }

    struct Entry {
        let time: Instant
        let order: Order
        let sequence: Int
        let action: (Host) -> Void

        func precedes(_ other: Entry) -> Bool {
            (time, order.rawValue, sequence) < (other.time, other.order.rawValue, other.sequence)
        }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var sequence = 0

    var first: Entry? { entries.first }

    mutating func add(_ action: @escaping (Host) -> Void, at time: Instant, _ order: Order) {
        sequence += 1
        entries.append(Entry(time: time, order: order, sequence: sequence, action: action))
        var position = entries.count - 1
        while position > 0, entries[position].precedes(entries[(position - 1) / 2]) {
            entries.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    mutating func removeFirst() -> Entry {
        entries.swapAt(0, entries.count - 1)
        let first = entries.removeLast()
        var position = 0
        while let child = [2 * position + 1, 2 * position + 2].filter({ $0 < entries.count })
            .min(by: { entries[$0].precedes(entries[$1]) }), entries[child].precedes(entries[position])
        {
            entries.swapAt(position, child)
            position = child
        }
        return first
    }
}
