/// A name of at most 64 bytes of UTF-8, kept in place: decoding one allocates nothing.
///
/// It holds no control characters, so that it can be put into a log or on a terminal as it is.
public struct Name64: Sendable {
    /// The bytes, padded with zeros.
    public let bytes: InlineArray<64, UInt8>
    /// How many of them are the name's.
    public let count: Int

    public static let empty = Name64(bytes: InlineArray(repeating: 0), count: 0)

    private init(bytes: InlineArray<64, UInt8>, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Takes as many whole characters of the string as fit. `nil` if it holds control characters.
    public init?(_ string: String) {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var count = 0
        for character in string {
            let encoded = character.utf8
            guard count + encoded.count <= ProtocolLimits.nameBytes else { break }
            for byte in encoded {
                bytes[count] = byte
                count += 1
            }
        }
        guard Self.isText(bytes.span.extracting(first: count)) else { return nil }
        self.init(bytes: bytes, count: count)
    }

    /// Reads 64 bytes from `offset` on, as far as the first zero byte.
    init(decoding record: borrowing Span<UInt8>, at offset: Int) throws(WireError) {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var count = 0
        while count < ProtocolLimits.nameBytes, record[offset + count] != 0 {
            bytes[count] = record[offset + count]
            count += 1
        }
        guard Self.isText(bytes.span.extracting(first: count)) else { throw .nameNotText }
        self.init(bytes: bytes, count: count)
    }

    func encode(into buffer: inout MutableSpan<UInt8>, at offset: Int) {
        for index in 0..<count { buffer[offset + index] = bytes[index] }
    }

    public var isEmpty: Bool { count == 0 }

    /// The name's own bytes.
    public var utf8: [UInt8] { (0..<count).map { bytes[$0] } }

    /// UTF-8 without the control characters U+0000…U+001F and U+007F…U+009F.
    private static func isText(_ bytes: borrowing Span<UInt8>) -> Bool {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte < 0x20 || byte == 0x7F { return false }
            if byte == 0xC2, index + 1 < bytes.count, bytes[index + 1] < 0xA0 { return false }
        }
        return (try? UTF8Span(validating: copy bytes)) != nil
    }
}

extension Name64: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left.bytes[index] != right.bytes[index] { return false }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for index in 0..<count { hasher.combine(bytes[index]) }
    }
}

extension Name64: CustomStringConvertible {
    public var description: String {
        String(decoding: utf8, as: UTF8.self)
    }
}
