/// The secret by which a client attaches a further connection to its registration, or resumes it after a restart.
public struct Token: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    /// All zero: a new registration.
    public static let none = Token(high: 0, low: 0)

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

extension Token: CustomStringConvertible, CustomReflectable {
    /// Says nothing, so that a token never reaches a log by accident.
    public var description: String { self == .none ? "no token" : "token (hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
