/// What is wrong with the bytes of a message.
public enum WireError: Error, Equatable, Sendable, CaseIterable {
    // MARK: Of the header: the connection cannot go on
    case recordTooShort
    case recordTooLong
    case sizeBelowHeader
    case sizeBeyondRecord

    // MARK: Of one message: its tag is known, the next message is whole
    case unknownType
    case wrongDirection
    case fieldsMissing
    case tagZero
    case nameNotText
    case textTooLong
    case textNotUTF8
    case unknownCommandKind
    case unknownRetryPolicy
    case unknownFailureMode
    case unknownLaunchOutcome
    case tooManyTags

    /// Whether the receiver must hang up, after it has told the peer where it can.
    public var endsConnection: Bool {
        switch self {
        case .recordTooShort, .recordTooLong, .sizeBelowHeader, .sizeBeyondRecord: true
        default: false
        }
    }

    /// The code of the ERROR message with which the daemon answers.
    public var code: ErrorCode {
        switch self {
        case .unknownType: .unknownType
        case .wrongDirection: .wrongDirection
        case .tagZero: .tagZero
        case .nameNotText, .unknownRetryPolicy, .unknownFailureMode: .invalidField
        default: .malformed
        }
    }

    /// What happened and what the client's author can do about it.
    public var sentence: String {
        switch self {
        case .recordTooShort: "The record is shorter than the 16-byte header. Send one whole message per record."
        case .recordTooLong:
            "The record is longer than \(ProtocolLimits.messageBytes) bytes, the most a message may have."
        case .sizeBelowHeader: "The header's size is below 16, but it counts the header too."
        case .sizeBeyondRecord: "The header's size is more than the record holds. Send one whole message per record."
        case .unknownType:
            "This message type is not known here. Compare the features in WELCOME before using newer ones."
        case .wrongDirection: "This message type is sent the other way."
        case .fieldsMissing: "The message is shorter than the fields of its type. See its size in docs/protocol.md."
        case .tagZero: "This request needs a tag that is not zero, or its reply could not be told from other messages."
        case .nameNotText:
            "The name is not UTF-8, or holds control characters. Send plain text, padded with zero bytes."
        case .textTooLong: "The text is longer than \(ProtocolLimits.textBytes) bytes, the most that is allowed."
        case .textNotUTF8: "The text is not UTF-8."
        case .unknownCommandKind: "The command kind is not known. Use one of the kinds listed in docs/protocol.md."
        case .unknownRetryPolicy: "The retry policy is not known: 0 is linux, 1 is once, 2 is never."
        case .unknownFailureMode: "The failure mode is not known: 0 is open, 1 is closed."
        case .unknownLaunchOutcome: "The launch's outcome is not known: 0 is running, 1 is failed."
        case .tooManyTags:
            "RESYNC_STATE lists more than \(ProtocolLimits.outstandingTags) tags, the most that may be outstanding."
        }
    }
}
