import CSystemd.Socket
import Glibc

/// A file of one's own in memory: what is written there is in the file at once, also if the process is killed.
///
/// All its space is taken when it is made. A file that somebody else makes shorter ends the process at the next write.
public final class MappedFile: Sendable {
    /// Held locked, so that no other process takes the file for abandoned.
    private let descriptor: FileDescriptor
    // SAFETY: mapped by `init`, unmapped by `deinit`; who uses it sees that only one thread does.
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    private let count: Int

    /// Makes a file of `count` bytes, all zero, that only its owner may read.
    public init(creating path: String, count: Int) throws(SystemError) {
        self.count = count
        descriptor = FileDescriptor(
            adopting: try result(
                of: open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600), "create", path))
        _ = try result(of: flock(descriptor.number, LOCK_EX | LOCK_NB), "lock", path)
        let failure = posix_fallocate(descriptor.number, 0, count)
        guard failure == 0 else { throw SystemError(code: failure, attempt: "take \(count) bytes for", subject: path) }
        // SAFETY: a new mapping of a file that has `count` bytes; nothing else knows its address.
        guard let memory = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0),
            memory != MAP_FAILED
        else { throw SystemError(code: errno, attempt: "map", subject: path) }
        self.memory = memory
        touch()
    }

    deinit {
        // SAFETY: `words` is lent for the life of this object only.
        munmap(memory, count)
    }

    /// Each page once, so that none has to be fetched later.
    private func touch() {
        for offset in stride(from: 0, to: count, by: 4_096) {
            // SAFETY: inside the mapping, which is zero.
            memory.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
    }

    /// The file as 64-bit words, for one thread, as long as this object lives.
    public var words: UnsafeMutableBufferPointer<UInt64> {
        // SAFETY: a mapping begins at a page, and any bytes are words.
        UnsafeMutableRawBufferPointer(start: memory, count: count).bindMemory(to: UInt64.self)
    }

    /// Fetches `count` bytes from this word on into the cache, while something else is being done.
    @inline(__always)
    public func expectWriting(fromWord word: Int, bytes count: Int) {
        // SAFETY: nothing is read or written; a place outside the mapping would do no harm.
        linux_prefetch_for_writing(memory + word * 8, count)
    }

    /// Whether the file lies in memory (tmpfs). Elsewhere the kernel may let a writer wait for a disk.
    public var isInMemory: Bool { linux_is_in_memory(descriptor.number) == 1 }
}

extension FileDescriptor {
    /// Whether no living process holds the file locked.
    public borrowing func isAbandoned() -> Bool {
        guard flock(number, LOCK_SH | LOCK_NB) == 0 else { return false }
        _ = flock(number, LOCK_UN)
        return true
    }
}

private func result(of call: Int32, _ attempt: String, _ path: String) throws(SystemError) -> Int32 {
    guard call < 0 else { return call }
    throw SystemError(code: errno, attempt: attempt, subject: path)
}
