import Foundation

/// Makes the one mistake that it is told to: scripts/test-sanitized runs it to see that its verdict can be "no".
@main
enum App {
    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "overflow": overflow(by: CommandLine.argc)
        case "leak": leak(times: CommandLine.argc)
        case "race": race()
        default:
            print("usage: sanitizer-canary overflow|leak|race")
            exit(EX_USAGE)
        }
    }

    /// Reads behind the end of a block of the heap.
    private static func overflow(by distance: Int32) {
        let block = UnsafeMutablePointer<Int32>.allocate(capacity: 4)
        block.initialize(repeating: 7, count: 4)
        // SAFETY: it is not safe: that is what must be found.
        print((block + 2 + Int(distance)).pointee)
        block.deallocate()
    }

    /// Forgets blocks of the heap.
    @inline(never)
    private static func leak(times: Int32) {
        for _ in 0..<times {
            let block = UnsafeMutablePointer<Int32>.allocate(capacity: 16)
            block.initialize(repeating: times, count: 16)
        }
        print("forgotten")
    }

    private final class Counter: @unchecked Sendable {
        // SAFETY: it is not safe: that is what must be found.
        var count = 0
    }

    /// Two threads count in one place.
    private static func race() {
        let counter = Counter()
        let other = Thread { for _ in 0..<10_000 { counter.count += 1 } }
        other.start()
        for _ in 0..<10_000 { counter.count += 1 }
        while !other.isFinished { sched_yield() }
        print(counter.count)
    }
}
