import LinuxIO

/// Why a client of the emulator or of `spschedd-device` got no answer.
public enum DeviceProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// The peer went away; what it was asked for has no result.
    case hungUp(peer: String)
    /// The peer said something that this wire does not have.
    case malformed(peer: String, WireError)
    /// A well-formed message, but no answer to what was asked.
    case unexpected(peer: String, String)
    /// The emulator refused.
    case refused(EmulatorErrorCode, String)

    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .hungUp(let peer): "\(peer) closed the connection"
        case .malformed(let peer, let error): "\(peer) sent what is no message: \(error)"
        case .unexpected(let peer, let what): "\(peer) answered something else than asked: \(what)"
        case .refused(_, let text): "sp-emulator refused: \(text)"
        }
    }
}
