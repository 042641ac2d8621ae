/// Replies that the kernel's queue had no room for: a ring of whole records, made when first needed.
struct Outbox: ~Copyable {
    // SAFETY: allocated in `init`, freed in `deinit`; every index is taken modulo its count.
    private let ring: UnsafeMutableRawBufferPointer
    private var head = 0
    private var used = 0

    /// Each record is stored behind its length.
    private static let lengthBytes = 2

    init(bytes: Int) {
        ring = .allocate(byteCount: bytes, alignment: 1)
        // SAFETY: freshly allocated; initialised whole, so that no later read sees undefined bytes.
        ring.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        // SAFETY: allocated by `init`, lent only during `withFirst`.
        ring.deallocate()
    }

    var isEmpty: Bool { used == 0 }

    /// Appends a record behind the others. False: it does not fit, and nothing changed.
    mutating func append(_ record: borrowing Span<UInt8>) -> Bool {
        let count = record.count
        guard used + Self.lengthBytes + count <= ring.count else { return false }
        put(UInt8(truncatingIfNeeded: count))
        put(UInt8(truncatingIfNeeded: count >> 8))
        for index in record.indices { put(record[index]) }
        return true
    }

    /// Copies the first record to `buffer` and returns its length; `nil` when there is none. It stays until
    /// `removeFirst`.
    // SAFETY: writes at most `firstCount` bytes; the buffer must have room for the longest record.
    func copyFirst(to buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard used > 0 else { return nil }
        let count = firstCount
        for index in 0..<count { buffer[index] = byte(at: Self.lengthBytes + index) }
        return count
    }

    mutating func removeFirst() {
        let length = Self.lengthBytes + firstCount
        head = (head + length) % ring.count
        used -= length
    }

    private var firstCount: Int { Int(byte(at: 0)) | Int(byte(at: 1)) << 8 }

    private func byte(at offset: Int) -> UInt8 { ring[(head + offset) % ring.count] }

    private mutating func put(_ byte: UInt8) {
        ring[(head + used) % ring.count] = byte
        used += 1
    }
}
