import Glibc

/// Counts what the Swift runtime allocates on its heap, by the hook that it keeps for instruments
/// (`stdlib/public/runtime/HeapObject.cpp`). It stays for the life of the process: for exit tests only.
enum AllocationCounter {
    private typealias Allocate = @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?

    // SAFETY: written once by `install`, before the one thread of the exit test allocates anything that counts.
    nonisolated(unsafe) private static var original: Allocate?
    nonisolated(unsafe) private(set) static var count = 0

    /// - Returns: whether the runtime has the hook.
    static func install() -> Bool {
        guard let program = dlopen(nil, RTLD_NOW), let hook = dlsym(program, "_swift_allocObject"),
            let isHooked = dlsym(
                program, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly")
        else { return false }
        // SAFETY: the runtime declares the first as a pointer to a function of this type, the second as an atomic bool.
        let slot = hook.assumingMemoryBound(to: Allocate?.self)
        original = slot.pointee
        slot.pointee = { metadata, size, alignment in
            AllocationCounter.count += 1
            return AllocationCounter.original?(metadata, size, alignment)
        }
        isHooked.assumingMemoryBound(to: Bool.self).pointee = true
        return true
    }
}
