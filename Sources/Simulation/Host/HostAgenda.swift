import Arbiter

/// Something on a simulated host that is due. A launch's events carry its serial number: those of an earlier tenant of
/// its place are void.
enum HostEvent: Sendable {
    case guest(Int)
    case launch(place: Int, serial: UInt64)
    /// A group's next launches are requested.
    case request(group: Int)
    case teardown(Int)
    case fault(Int)
    /// The counted time begins, or ends.
    case boundary
}

/// What is going to happen, in the order of time; of what happens at one instant, in the order of its planning.
///
/// A heap of four children a node: half as deep as a binary one, and a node's children share a cache line or two.
/// Bounded by its owner: one entry for each guest, launch, group, burst and fault.
struct HostAgenda: Sendable {
    private struct Entry {
        let at: Int64
        let sequence: Int64
        let event: HostEvent

        @inline(__always)
        func precedes(_ other: Entry) -> Bool { at != other.at ? at < other.at : sequence < other.sequence }
    }

    private static let children = 4
    private var entries: [Entry] = []
    private var sequence: Int64 = 0

    /// `distantFuture` if nothing is planned.
    var next: Instant { entries.isEmpty ? .distantFuture : Instant(sinceBoot: Nanoseconds(entries[0].at)) }

    mutating func plan(_ event: HostEvent, at instant: Instant) {
        sequence += 1
        let entry = Entry(at: instant.sinceBoot.count, sequence: sequence, event: event)
        entries.append(entry)
        var position = entries.count - 1
        while position > 0 {
            let parent = (position - 1) / Self.children
            guard entry.precedes(entries[parent]) else { break }
            entries[position] = entries[parent]
            position = parent
        }
        entries[position] = entry
    }

    mutating func removeNext() -> HostEvent? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first.event }
        var position = 0
        while let child = leastChild(of: position), entries[child].precedes(last) {
            entries[position] = entries[child]
            position = child
        }
        entries[position] = last
        return first.event
    }

    private func leastChild(of position: Int) -> Int? {
        let first = position * Self.children + 1
        guard first < entries.count else { return nil }
        var least = first
        for child in first + 1..<max(first + 1, min(first + Self.children, entries.count))
        where entries[child].precedes(entries[least]) {
            least = child
        }
        return least
    }
}
