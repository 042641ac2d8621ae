import Synchronization

/// A value behind a lock, for threads that share it: `Mutex`, in a form whose order ThreadSanitizer can follow.
///
/// When two threads contend for a `Mutex`, the kernel hands it over and the Swift runtime says nothing of that to the
/// sanitizer, which takes the next use of the value for a race. The atomic is written last before the lock is given up
/// and read first once it is held: the same order, said in the open. It excludes nobody; a use of the value outside
/// the lock is impossible as with `Mutex`.
public struct Guarded<Value: Sendable>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>
    private let order = Atomic<UInt8>(0)

    public init(_ value: Value) { mutex = Mutex(value) }

    public borrowing func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { value in
            _ = order.load(ordering: .acquiring)
            defer { order.store(0, ordering: .releasing) }
            return body(&value)
        }
    }
}
