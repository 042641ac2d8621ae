import Arbiter

/// What is going to happen, by time and then in the order in which it was put down.
struct WhatIfAgenda {
    enum Action {
        case event(Int)
        case release(TurnID)
        case next(StreamKey)
        case probe(ProbeOutcome)
    }

    private var entries: [(at: Instant, order: Int, action: Action)] = []
    private var count = 0

    var next: Instant? { entries.first?.at }

    mutating func add(_ action: Action, at instant: Instant) {
        count += 1
        entries.append((instant, count, action))
        var child = entries.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() -> Action? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first.action }
        entries[0] = last
        var parent = 0
        while true {
            let children = (2 * parent + 1)..<min(2 * parent + 3, max(entries.count, 2 * parent + 1))
            guard let least = children.min(by: { precedes($0, $1) }), precedes(least, parent) else { break }
            entries.swapAt(least, parent)
            parent = least
        }
        return first.action
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (entries[left].at, entries[left].order) < (entries[right].at, entries[right].order)
    }
}
