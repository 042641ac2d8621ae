/// The first 16 bytes of every message.
public struct Header: Equatable, Sendable {
    /// Raw, so that a message of a type we do not know can still be answered under its tag.
    public let rawType: UInt16
    /// The message's size with its header. The record may be longer; the rest is ignored.
    public let size: Int
    public let tag: UInt64

    /// Reads the header of one whole record.
    ///
    /// Throws only errors that end the connection: where one message ends is then no longer known.
    public init(decoding record: borrowing Span<UInt8>) throws(WireError) {
        guard record.count >= ProtocolLimits.headerBytes else { throw .recordTooShort }
        guard record.count <= ProtocolLimits.messageBytes else { throw .recordTooLong }
        rawType = record.integer(at: 0)
        size = Int(record.integer(at: 2, as: UInt16.self))
        tag = record.integer(at: 8)
        guard size >= ProtocolLimits.headerBytes else { throw .sizeBelowHeader }
        guard size <= record.count else { throw .sizeBeyondRecord }
    }

    /// The type, if it is one that the named side sends and the message has all of its fields.
    func type(fromClient: Bool) throws(WireError) -> MessageType {
        guard let type = MessageType(rawValue: rawType) else { throw .unknownType }
        guard type.isFromClient == fromClient else { throw .wrongDirection }
        guard size >= type.leastSize else { throw .fieldsMissing }
        guard tag != 0 || !type.needsTag else { throw .tagZero }
        return type
    }
}
