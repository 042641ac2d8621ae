import Arbiter
import VMMProtocol

/// What one connection may say next, without its socket.
///
/// ```
///                 HELLO                    REGISTER
///   awaitingHello ─────► awaitingRegistration ─────► serving
///        │                   │       ▲                 │
///        │                   │       └── UNREGISTER ───┤
///        └──────────┬────────┴─────────────────────────┘
///                   ▼  no common version, broken framing, too many mistakes, silence, hang-up
///                closed
/// ```
///
/// A mistake is answered with an error and changes nothing. Only where one message ends and the next begins can no
/// longer be known, or where a client makes mistakes faster than a person could read them, the connection ends.
struct ConnectionStateMachine: ~Copyable {
    private var state = ConnectionState.awaitingHello
    private var tags = TagWindow()
    private var mistakes = MistakeCount()

    init() {}

    /// A connection that the daemon before had, with its VM. Its client's tags begin anew: it says which it waits for.
    init(serving vm: VMID, features: Features, client: Name64) {
        state = .serving(Introduction(features: features, client: client), vm)
    }

    enum OnMessage: Equatable {
        /// Answer WELCOME with these features.
        case welcome(Features)
        /// Admit the VM, then say `registered(_:)` if it was.
        indirect case register(Register)
        /// Do it for this VM.
        case perform(ClientMessage, VMID)
        /// Answer ERROR and go on.
        indirect case refuse(ErrorReply)
        /// Answer ERROR, then hang up for this reason.
        indirect case refuseAndClose(ErrorReply, DisconnectReason)
        /// A repeat of a request that has no reply yet, or a message after the end.
        case ignore
    }

    /// A whole, readable message came.
    mutating func received(_ message: ClientMessage, tag: UInt64, now: Instant) -> OnMessage {
        switch checkTag(of: message.type, tag) {
        case .fresh: break
        case .repeated: return .ignore
        case .wrong(let code): return mistake(ErrorReply(code), now: now)
        }
        switch state.received(message) {
        case .welcome(let features): return .welcome(features)
        case .register(let register): return .register(register)
        case .perform(let vm): return .perform(message, vm)
        case .mistake(let code): return mistake(ErrorReply(code), now: now)
        case .incompatible: return .refuseAndClose(ErrorReply(.versionUnsupported), .noCommonVersion)
        case .ignore: return .ignore
        }
    }

    /// A record came that is no message.
    mutating func receivedMalformed(_ error: WireError, now: Instant) -> OnMessage {
        error.endsConnection ? close(ErrorReply(error), .brokenFraming(error)) : mistake(ErrorReply(error), now: now)
    }

    private mutating func mistake(_ reply: ErrorReply, now: Instant) -> OnMessage {
        mistakes.add(at: now) ? .refuse(reply) : close(reply, .tooManyMistakes)
    }

    private mutating func close(_ reply: ErrorReply, _ reason: DisconnectReason) -> OnMessage {
        state.close() ? .refuseAndClose(reply, reason) : .ignore
    }

    private mutating func checkTag(of type: MessageType, _ tag: UInt64) -> TagWindow.Verdict {
        // RELEASE asks for a reply only if it has a tag; CANCEL and RESYNC_STATE have no reply of their own.
        guard type.needsTag || (type == .release && tag != 0) else { return .fresh }
        return tags.check(tag)
    }
}

// MARK: - Registration, requests, the end

extension ConnectionStateMachine {
    /// The VM of this connection was admitted or resumed.
    mutating func registered(_ vm: VMID) { state.registered(vm) }

    /// The VM is gone. The connection may register another.
    mutating func unregistered() { state.unregistered() }

    /// The request under this tag waits for its terminal reply. False: too many do already.
    mutating func opened(tag: UInt64) -> Bool { tags.open(tag) }

    /// The terminal reply to this tag is being sent. False: none was due.
    @discardableResult
    mutating func replied(tag: UInt64) -> Bool { tags.close(tag) }

    /// Whether the request under this tag waits for its terminal reply.
    func isOpen(tag: UInt64) -> Bool { tags.isOpen(tag) }

    /// The time for HELLO has passed: why to hang up, if HELLO was not said.
    mutating func helloTimedOut() -> DisconnectReason? { !isIntroduced && state.close() ? .silence : nil }

    /// The connection ended, by itself or after `refuseAndClose`. The VM that it served, if any.
    mutating func ended() -> VMID? { state.ended() }

    /// Whether HELLO was said, and the connection has not ended.
    var isIntroduced: Bool { state.introduction != nil }

    /// Whether it has a VM.
    var isServing: Bool { state.isServing }

    /// Its VM.
    var vm: VMID? { state.vm }

    /// What both sides can use.
    var features: Features { state.introduction?.features ?? [] }

    /// What the client called itself in HELLO.
    var client: Name64 { state.introduction?.client ?? .empty }
}

// MARK: - The states

/// What HELLO settled.
private struct Introduction {
    let features: Features
    let client: Name64
}

private enum ConnectionState: ~Copyable {
    case awaitingHello
    case awaitingRegistration(Introduction)
    case serving(Introduction, VMID)
    /// `left`: the VM that was served and does not know it yet.
    case closed(left: VMID?)
}

extension ConnectionState {
    enum OnMessage {
        case welcome(Features)
        indirect case register(Register)
        case perform(VMID)
        case mistake(ErrorCode)
        case incompatible
        case ignore
    }

    mutating func received(_ message: ClientMessage) -> OnMessage {
        switch consume self {
        case .awaitingHello:
            guard case .hello(let hello) = message else {
                self = .awaitingHello
                return .mistake(.helloExpected)
            }
            guard hello.versionMin <= ProtocolLimits.version, ProtocolLimits.version <= hello.versionMax else {
                self = .closed(left: nil)
                return .incompatible
            }
            let features = hello.features.intersection(.all)
            self = .awaitingRegistration(Introduction(features: features, client: hello.name))
            return .welcome(features)
        case .awaitingRegistration(let introduction):
            self = .awaitingRegistration(introduction)
            switch message {
            case .register(let register): return .register(register)
            case .hello: return .mistake(.alreadyHello)
            default: return .mistake(.notRegistered)
            }
        case .serving(let introduction, let vm):
            self = .serving(introduction, vm)
            switch message {
            case .register: return .mistake(.alreadyRegistered)
            case .hello: return .mistake(.alreadyHello)
            default: return .perform(vm)
            }
        case .closed(let left):
            self = .closed(left: left)
            return .ignore
        }
    }

    mutating func registered(_ vm: VMID) {
        switch consume self {
        case .awaitingRegistration(let introduction): self = .serving(introduction, vm)
        case .closed(let left): self = .closed(left: left)
        case .awaitingHello: preconditionFailure("a VM cannot register before HELLO")
        case .serving: preconditionFailure("a connection has one VM")
        }
    }

    mutating func unregistered() {
        switch consume self {
        case .serving(let introduction, _): self = .awaitingRegistration(introduction)
        case .awaitingRegistration(let introduction): self = .awaitingRegistration(introduction)
        case .awaitingHello: self = .awaitingHello
        case .closed(let left): self = .closed(left: left)
        }
    }

    /// The VM that is served no longer, told once.
    mutating func ended() -> VMID? {
        switch consume self {
        case .serving(_, let vm):
            self = .closed(left: nil)
            return vm
        case .closed(let left):
            self = .closed(left: nil)
            return left
        default:
            self = .closed(left: nil)
            return nil
        }
    }

    /// No message is taken any more. False: it was so before.
    mutating func close() -> Bool {
        switch consume self {
        case .closed(let left):
            self = .closed(left: left)
            return false
        case .serving(_, let vm):
            self = .closed(left: vm)
            return true
        default:
            self = .closed(left: nil)
            return true
        }
    }

    var isServing: Bool {
        switch self {
        case .serving: true
        default: false
        }
    }

    var vm: VMID? {
        switch self {
        case .serving(_, let vm): vm
        default: nil
        }
    }

    var introduction: Introduction? {
        switch self {
        case .awaitingRegistration(let introduction): introduction
        case .serving(let introduction, _): introduction
        default: nil
        }
    }
}
