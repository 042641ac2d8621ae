/// Splits a byte stream into Varlink messages: JSON objects, each ended by a NUL byte
/// (<https://varlink.org/Wire-Protocol>).
struct MessageBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// Everything before it is known to hold no NUL, so that a long message in small pieces is searched once.
    private var searched = 0
    private let messageBytesMax: Int

    init(messageBytesMax: Int) {
        self.messageBytesMax = messageBytesMax
    }

    /// How many bytes fit before a message must have ended.
    var room: Int { messageBytesMax + 1 - bytes.count }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ newBytes: some Sequence<UInt8>) {
        bytes.append(contentsOf: newBytes)
    }

    /// The next complete message without its NUL, or `nil` while it is incomplete.
    mutating func next() throws(ProtocolFault) -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: 0) else {
            searched = bytes.count
            guard bytes.count <= messageBytesMax else { throw .messageTooLong(limit: messageBytesMax) }
            return nil
        }
        guard end <= messageBytesMax else { throw .messageTooLong(limit: messageBytesMax) }
        let message = Array(bytes[..<end])
        bytes.removeSubrange(...end)
        searched = 0
        return message
    }
}

/// What a peer did that Varlink has no error for: the connection must be closed, for this reason.
public enum ProtocolFault: Error, Equatable, Sendable {
    case messageTooLong(limit: Int)
    /// Not a JSON object of the expected shape; `detail` says where.
    case malformed(detail: String)
}

extension ProtocolFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .messageTooLong(let limit): "the message is longer than \(limit) bytes"
        case .malformed(let detail): "the message is not a Varlink message: \(detail)"
        }
    }
}
