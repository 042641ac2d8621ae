import Foundation
import LinuxIO
import Testing

/// Goal: no change is lost, and under ThreadSanitizer no race is seen where there is none.
/// Method: threads that contend for one number.
@Suite("A guarded value")
struct GuardedTests {
    private final class Shared: Sendable {
        let count = Guarded(0)
        let finished = Guarded(0)
    }

    @Test("what four threads count at once is what they counted")
    func contention() {
        let shared = Shared()
        for _ in 0..<4 {
            Thread.detachNewThread {
                for _ in 0..<20_000 { shared.count.withLock { $0 += 1 } }
                shared.finished.withLock { $0 += 1 }
            }
        }
        while shared.finished.withLock({ $0 }) < 4 { sched_yield() }
        #expect(shared.count.withLock { $0 } == 80_000)
    }
}
