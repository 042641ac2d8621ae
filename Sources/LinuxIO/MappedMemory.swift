import CSystemd.Socket
import Glibc

/// An unnamed file in memory, mapped: it lives as long as anybody holds a descriptor of it, also one of another
/// process.
public final class MappedMemory: Sendable {
    public let descriptor: FileDescriptor
    // SAFETY: mapped by `init`, unmapped by `deinit`; who uses it sees that only one thread does.
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    private let count: Int

    /// Makes one of `count` bytes, all zero. Pages are taken when first written to.
    public convenience init(named name: String, count: Int) throws(SystemError) {
        let descriptor = try FileDescriptor.memory(named: name)
        guard ftruncate(descriptor.number, off_t(count)) == 0 else {
            throw SystemError(code: errno, attempt: "take \(count) bytes for", subject: name)
        }
        try self.init(adopting: descriptor, count: count)
    }

    /// Maps one that exists, in its whole length, which must be at most `atMost` bytes.
    public convenience init(adopting descriptor: consuming FileDescriptor, atMost: Int) throws(SystemError) {
        let count = try descriptor.length()
        guard count > 0, count <= atMost, count % 8 == 0 else {
            throw SystemError(code: EINVAL, attempt: "use a memory file of \(count) bytes")
        }
        try self.init(adopting: descriptor, count: count)
    }

    private init(adopting descriptor: consuming FileDescriptor, count: Int) throws(SystemError) {
        // Nobody may make it shorter: the next access would end this process. One that cannot be sealed is not ours.
        guard linux_seal_size(descriptor.number) == 0 else {
            throw SystemError(code: errno, attempt: "seal the size of a memory file")
        }
        // SAFETY: a new mapping of a file that has `count` bytes and keeps them; nothing else knows its address.
        guard let memory = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0),
            memory != MAP_FAILED
        else { throw SystemError(code: errno, attempt: "map a memory file") }
        self.memory = memory
        self.count = count
        self.descriptor = descriptor
    }

    deinit {
        // SAFETY: `words` is lent for the life of this object only.
        munmap(memory, count)
    }

    /// The memory as 64-bit words, for one thread, as long as this object lives.
    public var words: UnsafeMutableBufferPointer<UInt64> {
        // SAFETY: a mapping begins at a page, and any bytes are words.
        UnsafeMutableRawBufferPointer(start: memory, count: count).bindMemory(to: UInt64.self)
    }

    /// Writes one word after all that was written before, and before all that is written later.
    @inline(__always)
    public func publish(_ value: UInt64, at word: Int) {
        precondition(word >= 0 && word * 8 < count, "outside the memory")
        // SAFETY: inside the mapping, as just checked.
        linux_publish(memory.assumingMemoryBound(to: UInt64.self) + word, value)
    }
}
