/// Room for one message: filled by encoding, used again for the next. Nothing is allocated.
public struct MessageBuffer: ~Copyable {
    @usableFromInline var bytes = InlineArray<1024, UInt8>(repeating: 0)
    /// The size of the message in it.
    public internal(set) var count = 0

    @inlinable public init() {}

    public mutating func encode(_ message: ClientMessage, tag: UInt64) {
        var room = bytes.mutableSpan
        count = message.encode(tag: tag, into: &room)
    }

    public mutating func encode(_ message: DaemonMessage, tag: UInt64) {
        var room = bytes.mutableSpan
        count = message.encode(tag: tag, into: &room)
    }

    /// Lends the encoded message, to send or to decode it.
    @inlinable public borrowing func withRecord<Result, Failure: Error>(
        _ body: (borrowing Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes.span.extracting(first: count))
    }
}
