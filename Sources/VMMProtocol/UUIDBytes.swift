/// A VM's UUID, as 16 bytes in the order of its text form (RFC 9562). A label: it proves nothing.
public struct UUIDBytes: Hashable, Sendable {
    /// The first and the last eight bytes, the first byte most significant.
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(decoding record: borrowing Span<UInt8>, at offset: Int) {
        high = record.integer(at: offset, as: UInt64.self).byteSwapped
        low = record.integer(at: offset + 8, as: UInt64.self).byteSwapped
    }

    func encode(into buffer: inout MutableSpan<UInt8>, at offset: Int) {
        buffer.put(high.byteSwapped, at: offset)
        buffer.put(low.byteSwapped, at: offset + 8)
    }
}

extension UUIDBytes: CustomStringConvertible {
    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
    public var description: String {
        var digits = Array(hexadecimal(high) + hexadecimal(low))
        for position in [20, 16, 12, 8] { digits.insert("-", at: position) }
        return String(digits)
    }
}

/// Sixteen hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
