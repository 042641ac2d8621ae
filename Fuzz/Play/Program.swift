/// The input as the interpreter reads it: every sequence of bytes is a program, and what is missing is zero.
public struct Program {
    // SAFETY: libFuzzer lends the bytes for the whole call, in which the program is read and dropped.
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    public init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    public var isAtEnd: Bool { position >= bytes.count }

    public mutating func byte() -> UInt8 {
        guard !isAtEnd else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func integer() -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<8 { value = value << 8 | UInt64(byte()) }
        return value
    }

    /// One of the values, which are the ones at which something changes.
    public mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(byte()) % values.count] }

    public mutating func bytes(atMost count: Int, into buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        while buffer.count < count, !isAtEnd { buffer.append(byte()) }
    }
}
