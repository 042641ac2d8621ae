import Arbiter

/// Builds one message: `u16 type, u16 size, u32 0, u64 tag`, then its fields, all little-endian.
struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    init(type: UInt16, tag: UInt64) {
        bytes.reserveCapacity(128)
        put(type)
        put(UInt16(0))
        put(UInt32(0))
        put(tag)
    }

    mutating func put(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// A negative duration is sent as zero.
    mutating func put(_ duration: Nanoseconds) { put(UInt64(clamping: duration.count)) }

    /// A name of fixed size, padded with NUL; cut at a character if it is too long.
    mutating func putName(_ name: String, size: Int) {
        let cut = Self.prefix(of: name, bytes: size)
        bytes += cut
        bytes += repeatElement(0, count: size - cut.count)
    }

    /// The length of some bytes, and the bytes. No more of them than `WireLimits` allow.
    mutating func putBlob(_ blob: [UInt8]) {
        precondition(blob.count <= WireLimits.blobBytes, "a blob of \(blob.count) bytes")
        put(UInt32(blob.count))
        bytes += blob
    }

    /// Text's length and the text itself, which ends the message.
    mutating func putText(_ text: String) {
        let cut = Self.prefix(of: text, bytes: WireLimits.textBytes)
        put(UInt32(cut.count))
        bytes += cut
    }

    /// The message, its size filled in.
    func finished() -> [UInt8] {
        var message = bytes
        message[2] = UInt8(truncatingIfNeeded: bytes.count)
        message[3] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        return message
    }

    private static func prefix(of text: String, bytes most: Int) -> [UInt8] {
        var cut = text[...]
        while cut.utf8.count > most { cut.removeLast() }
        return Array(cut.utf8)
    }
}

/// Takes one message apart, and accepts nothing that `MessageWriter` would not have written.
struct MessageReader {
    let type: UInt16
    let tag: UInt64
    private var rest: ArraySlice<UInt8>

    static let headerBytes = 16

    init(_ record: [UInt8]) throws(WireError) {
        guard record.count >= Self.headerBytes else {
            throw WireError("a record of \(record.count) bytes is shorter than a header (16)")
        }
        rest = record[...]
        type = Self.take(&rest)
        let size: UInt16 = Self.take(&rest)
        let reserved: UInt32 = Self.take(&rest)
        tag = Self.take(&rest)
        guard Int(size) == record.count else {
            throw WireError("a record of \(record.count) bytes says that it has \(size)")
        }
        guard reserved == 0 else { throw WireError("a reserved field of the header is not 0") }
    }

    mutating func take<Value: FixedWidthInteger>() throws(WireError) -> Value {
        guard rest.count >= Value.bitWidth / 8 else { throw tooShort }
        return Self.take(&rest)
    }

    mutating func takeDuration() throws(WireError) -> Nanoseconds {
        let count: UInt64 = try take()
        guard let exact = Int64(exactly: count) else {
            throw WireError("a duration of message \(type) is out of range")
        }
        return Nanoseconds(exact)
    }

    mutating func takeReserved(_ count: Int) throws(WireError) {
        guard rest.count >= count else { throw tooShort }
        guard rest.prefix(count).allSatisfy({ $0 == 0 }) else {
            throw WireError("a reserved field of message \(type) is not 0")
        }
        rest.removeFirst(count)
    }

    mutating func takeName(size: Int) throws(WireError) -> String {
        guard rest.count >= size else { throw tooShort }
        let name = rest.prefix(size)
        rest.removeFirst(size)
        let end = name.firstIndex(of: 0) ?? name.endIndex
        guard name[end...].allSatisfy({ $0 == 0 }) else {
            throw WireError("the name in message \(type) has bytes after its end")
        }
        return try text(name[..<end])
    }

    mutating func takeText() throws(WireError) -> String {
        let count: UInt32 = try take()
        guard count <= WireLimits.textBytes, rest.count >= Int(count) else { throw tooShort }
        let bytes = rest.prefix(Int(count))
        rest.removeFirst(Int(count))
        return try text(bytes)
    }

    mutating func takeBlob() throws(WireError) -> [UInt8] {
        let count: UInt32 = try take()
        guard count <= WireLimits.blobBytes, rest.count >= Int(count) else { throw tooShort }
        let bytes = Array(rest.prefix(Int(count)))
        rest.removeFirst(Int(count))
        return bytes
    }

    /// Call it when every field is taken.
    func finish() throws(WireError) {
        guard rest.isEmpty else { throw WireError("message \(type) has \(rest.count) bytes too many") }
    }

    private var tooShort: WireError { WireError("message \(type) is too short") }

    private func text(_ bytes: ArraySlice<UInt8>) throws(WireError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WireError("text in message \(type) is not UTF-8")
        }
        return text
    }

    private static func take<Value: FixedWidthInteger>(_ rest: inout ArraySlice<UInt8>) -> Value {
        let size = Value.bitWidth / 8
        var value: Value = 0
        for (index, byte) in rest.prefix(size).enumerated() { value |= Value(truncatingIfNeeded: byte) << (8 * index) }
        rest.removeFirst(size)
        return value
    }
}
