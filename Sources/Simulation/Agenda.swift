import Arbiter

/// What is going to happen, in the order of time; of what happens at one instant, in the order of its planning.
struct Agenda {
    private struct Entry {
        let at: Int64
        let sequence: Int64
        let event: Event

        func precedes(_ other: Entry) -> Bool { at != other.at ? at < other.at : sequence < other.sequence }
    }

    private var entries: [Entry] = []
    private var sequence: Int64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var next: Instant? { entries.isEmpty ? nil : Instant(sinceBoot: Nanoseconds(entries[0].at)) }

    mutating func plan(_ event: Event, at instant: Instant) {
        sequence += 1
        entries.append(Entry(at: instant.sinceBoot.count, sequence: sequence, event: event))
        var position = entries.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard entries[position].precedes(entries[parent]) else { break }
            entries.swapAt(position, parent)
            position = parent
        }
    }

    mutating func removeNext() -> Event? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first.event }
        entries[0] = last
        var position = 0
        while true {
            var child = 2 * position + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
            guard entries[child].precedes(entries[position]) else { break }
            entries.swapAt(position, child)
            position = child
        }
        return first.event
    }
}

/// Something outside the Arbiter that is due. A tenant's events carry its life: those of an earlier one are void.
enum Event: Sendable {
    case guest(tenant: Int, life: Int)
    case launch(tenant: Int, life: Int)
    /// The SP has done what the turn was for, and its holder is about to say so.
    case served(TurnID)
    case cancel(RequestID, tenant: Int, life: Int)
    case hangUp(tenant: Int, life: Int)
    case arrive(tenant: Int)
    case depart(tenant: Int, life: Int)
    case platform
    case probeReturns(ProbeOutcome)
    case disturb
    case resume
    case reload
}
