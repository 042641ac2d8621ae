import Foundation
import Synchronization

/// Plays units of work on every core. Each worker keeps a tally of its own; they merge to the same in any order.
enum Crew {
    private final class Pool: Sendable {
        let next = Atomic<Int>(0)
        let total = Mutex(Tally())
    }

    static func play(_ units: Int, _ what: String, _ unit: @escaping @Sendable (Int, inout Tally) -> Void) -> Tally {
        let pool = Pool()
        let progress = Progress(what, of: units)
        let workers = (0..<max(ProcessInfo.processInfo.activeProcessorCount, 1)).map { _ in
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                var tally = Tally()
                while true {
                    let (index, _) = pool.next.add(1, ordering: .relaxed)
                    guard index < units else { break }
                    unit(index, &tally)
                    progress.advance(to: index + 1)
                }
                pool.total.withLock { $0.add(tally) }
                done.signal()
            }
            thread.stackSize = 8 << 20
            thread.start()
            return done
        }
        for worker in workers { worker.wait() }
        progress.finish()
        return pool.total.withLock { $0 }
    }
}

/// One line on standard error, at most twice a second.
final class Progress: Sendable {
    private let what: String
    private let units: Int
    private let began = ContinuousClock.now
    private let told = Mutex(ContinuousClock.now)
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(_ what: String, of units: Int) {
        self.what = what
        self.units = units
    }

    func advance(to done: Int) {
        let isDue = told.withLock { last in
            let now = ContinuousClock.now
            guard now - last > (isTerminal ? .milliseconds(500) : .seconds(20)) else { return false }
            last = now
            return true
        }
        if isDue { say("\(done * 100 / units) %") }
    }

    func finish() { say("done in \((ContinuousClock.now - began).components.seconds) s", ends: true) }

    private func say(_ how: String, ends: Bool = false) {
        let line = isTerminal ? "\r\(what): \(how)   \(ends ? "\n" : "")" : "\(what): \(how)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
