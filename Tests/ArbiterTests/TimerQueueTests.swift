import Testing

@testable import Arbiter

/// Goal: timers come due as from a sorted list, though the queue moves its entries late. Method: seeded random
/// operations beside a naive model.
@Suite("Timer queue")
struct TimerQueueTests {
    @Test(
        "every timer comes when it is due, in order, and never after it was cleared",
        arguments: 1...8 as ClosedRange<UInt64>)
    func asFromAList(seed: UInt64) {
        var random = SeededRandom(seed)
        var queue = TimerQueue(capacity: 30)
        var model: [Int: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<3_000 {
            let timer = random.below(30)
            switch random.below(5) {
            case 0:
                queue.clear(timer)
                model[timer] = nil
            case 1:
                now += Int64(random.below(20))
                let due = model.filter { $0.value <= now }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
                for (timer, instant) in due {
                    let taken = queue.takeDue(at: at(now))
                    #expect(taken?.index == timer)
                    #expect(taken?.due == at(instant))
                    model[timer] = nil
                }
                #expect(queue.takeDue(at: at(now)) == nil)
            default:
                // Few instants, so that ties are common; some lie in the past.
                let instant = now + Int64(random.below(60) - 5)
                queue.set(timer, at: at(instant))
                model[timer] = instant
            }
            // It may look too early, but never too late.
            if let first = model.values.min() { #expect((queue.next ?? .distantFuture) <= at(first)) }
        }
    }

    @Test("a timer that is set later with every turn costs one look a period, not one a turn")
    func looksOnce() {
        var queue = TimerQueue(capacity: 1)
        var looks = 0
        for now in 0..<10_000 as Range<Int64> {
            if let next = queue.next, next <= at(now) {
                looks += 1
                #expect(queue.takeDue(at: at(now)) == nil)
            }
            queue.set(0, at: at(now + 100))
        }
        #expect(looks <= 10_000 / 99)
    }

    private func at(_ nanoseconds: Int64) -> Instant { Instant(sinceBoot: Nanoseconds(nanoseconds)) }
}
