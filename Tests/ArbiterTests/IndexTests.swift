import Testing

@testable import Arbiter

/// Goal: the two indexes answer as a sorted list would. Method: seeded random operations beside a naive model.
@Suite("Indexes")
struct IndexTests {
    /// What is inside, as a plain list.
    private struct Model {
        struct Entry {
            let slot: Int
            let key: Int64
            let tie: Int64
            let cost: Int64
        }

        var entries: [Entry] = []

        mutating func set(_ entry: Entry, origin: Int64) {
            remove(entry.slot)
            // Keys are compared by their distance from one origin, as those of a virtual time that runs round.
            entries.append(entry)
            entries.sort { ($0.key &- origin, $0.tie) < ($1.key &- origin, $1.tie) }
        }

        mutating func remove(_ slot: Int) { entries.removeAll { $0.slot == slot } }
    }

    @Test(
        "the ranked index keeps order, rank and cost, also where keys run round",
        arguments: [0, 1_000, .max - 50, .min + 50] as [Int64])
    func ranked(origin: Int64) {
        var random = SeededRandom(UInt64(bitPattern: origin))
        var index = RankedIndex(capacity: 40)
        var model = Model()
        for step in 0..<2_000 {
            let slot = random.below(40)
            if random.below(3) == 0 {
                index.remove(slot)
                model.remove(slot)
            } else {
                // Few keys, so that ties decide often.
                let entry = Model.Entry(
                    slot: slot, key: origin &+ Int64(random.below(100) - 50), tie: Int64(step),
                    cost: Int64(random.below(1_000)))
                index.set(slot, key: entry.key, tie: entry.tie, cost: Nanoseconds(entry.cost))
                model.set(entry, origin: origin)
            }
            check(index, model, random.below(40))
        }
    }

    private func check(_ index: RankedIndex, _ model: Model, _ slot: Int) {
        #expect(index.count == model.entries.count)
        #expect(index.isEmpty == model.entries.isEmpty)
        #expect(index.first == model.entries.first?.slot)
        #expect(index.last == model.entries.last?.slot)
        #expect(index.totalCost.count == model.entries.reduce(0) { $0 + $1.cost })
        #expect(index.contains(slot) == model.entries.contains { $0.slot == slot })
        let rank = model.entries.firstIndex { $0.slot == slot }
        guard let rank else { return }
        let before = index.before(slot)
        #expect(before.count == rank)
        #expect(before.cost.count == model.entries[..<rank].reduce(0) { $0 + $1.cost })
        #expect(index.slot(atRank: rank) == slot)
    }

    @Test(
        "the heap keeps order, and every slot can be found, moved and removed", arguments: 1...4 as ClosedRange<UInt64>)
    func heap(seed: UInt64) {
        var random = SeededRandom(seed)
        var heap = IndexedHeap(capacity: 40)
        var model = Model()
        for step in 0..<2_000 {
            let slot = random.below(40)
            switch random.below(4) {
            case 0:
                heap.remove(slot)
                model.remove(slot)
            case 1 where heap.contains(slot):
                heap.set(slot, key: 0, tie: 0, inside: false)
                model.remove(slot)
            default:
                let entry = Model.Entry(slot: slot, key: Int64(random.below(30) - 15), tie: Int64(step), cost: 0)
                heap.set(slot, key: entry.key, tie: entry.tie)
                model.set(entry, origin: 0)
            }
            #expect(heap.first == model.entries.first?.slot)
            #expect(heap.firstKey == model.entries.first?.key)
            #expect(heap.count == model.entries.count)
            #expect(heap.key(of: slot) == model.entries.first { $0.slot == slot }?.key)
        }
    }

    @Test("the heap orders keys at the ends of their range")
    func extremes() {
        var heap = IndexedHeap(capacity: 3)
        heap.set(0, key: .max, tie: 0)
        heap.set(1, key: .min, tie: 0)
        heap.set(2, key: 0, tie: 0)
        #expect(heap.first == 1)
        heap.remove(1)
        #expect(heap.first == 2)
    }
}
