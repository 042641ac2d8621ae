import Testing

@testable import spschedd

@Suite("Replies that wait")
struct OutboxTests {
    private func first(_ outbox: borrowing Outbox) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { outbox.copyFirst(to: $0) }
        return count.map { Array(bytes[..<$0]) }
    }

    @Test("records come out whole and in order, also across the ring's end, and never more than fits goes in")
    func ring() {
        var outbox = Outbox(bytes: 32)
        var model: [[UInt8]] = []
        var used = 0
        for round in 0..<200 {
            let record = [UInt8](repeating: UInt8(round), count: 1 + round * 7 % 13)
            let fits = used + 2 + record.count <= 32
            let wasTaken = outbox.append(record.span)
            #expect(wasTaken == fits)
            if fits {
                model.append(record)
                used += 2 + record.count
            } else {
                #expect(first(outbox) == model.first)
                used -= 2 + model.removeFirst().count
                outbox.removeFirst()
            }
        }
        while let expected = model.first {
            #expect(first(outbox) == expected)
            outbox.removeFirst()
            model.removeFirst()
        }
        let isEmpty = outbox.isEmpty
        #expect(isEmpty)
        #expect(first(outbox) == nil)
    }
}
