import VMMProtocol

/// Why a connection ends.
enum DisconnectReason: Equatable {
    case hungUp
    case brokenFraming(WireError)
    case noCommonVersion
    case tooManyMistakes
    case silence
    case doesNotRead
    case denied
    case socketError(String)

    var sentence: String {
        switch self {
        case .hungUp: "it hung up"
        case .brokenFraming(let error): "a record was no message: \(error.sentence)"
        case .noCommonVersion: "it speaks no version of the protocol that is spoken here"
        case .tooManyMistakes: "it made more than \(MistakeCount.max) mistakes in a short time"
        case .silence: "it did not say HELLO in time"
        case .doesNotRead: "it does not read its replies"
        case .denied: "a policy denies it"
        case .socketError(let error): error
        }
    }

    /// Whether the client broke the protocol.
    var isOffence: Bool { self != .hungUp && self != .denied }
}
