import FoundationEssentials

/// One call, as it stands on the wire.
public struct VarlinkCall: Codable, Equatable, Sendable {
    /// Interface and method: `io.spschedd.Manager.Status`.
    public var method: String
    public var parameters: [String: JSONValue]?
    /// The caller wants no reply at all.
    public var oneway: Bool?
    /// The caller takes several replies, all but the last marked `continues`.
    public var more: Bool?
    /// The caller wants the connection for another protocol afterwards. No method here offers that.
    public var upgrade: Bool?

    public init(method: String, parameters: [String: JSONValue]? = nil, more: Bool? = nil) {
        self.method = method
        self.parameters = parameters
        self.more = more
    }
}

/// One reply to a call.
public struct VarlinkReply<Parameters: Codable & Sendable>: Codable, Sendable {
    public var parameters: Parameters?
    /// Another reply to the same call follows.
    public var continues: Bool?
    /// Name of the error, with its interface. `parameters` are then the error's.
    public var error: String?

    public init(parameters: Parameters?, continues: Bool? = nil, error: String? = nil) {
        self.parameters = parameters
        self.continues = continues
        self.error = error
    }
}

/// Reading and writing of whole messages.
enum VarlinkMessage {
    static func decode<Message: Decodable>(_: Message.Type, from bytes: [UInt8]) throws(ProtocolFault) -> Message {
        do {
            return try JSONDecoder().decode(Message.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .malformed(detail: error.sentence)
        } catch {
            throw .malformed(detail: "\(error)")
        }
    }

    /// The message with its closing NUL. JSON writes a NUL inside text as an escape, so none can stand before the end.
    static func encode(_ message: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(message) else {
            preconditionFailure("a message of texts and whole numbers can always be written as JSON")
        }
        return Array(json) + [0]
    }
}

extension DecodingError {
    /// Where in the message, and what is wrong there.
    fileprivate var sentence: String {
        switch self {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            "'\(context.path)' is not a \(type)"
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .dataCorrupted(let context): context.debugDescription
        @unknown default: "\(self)"
        }
    }
}

extension DecodingError.Context {
    fileprivate var path: String { codingPath.map(\.stringValue).joined(separator: ".") }
}
