/// The VMM protocol on one page. `docs/protocol.md` gives each field its offset.
///
/// One `SOCK_SEQPACKET` record is one message: a 16-byte header, then the body. All integers are little-endian.
///
///     u16 type | u16 size, header included | u32 reserved | u64 tag
///
/// Every request has a tag of the client's choice and gets exactly one terminal reply with the same tag.
/// The sizes below include the header; a longer message of the same type comes from a newer peer and is read as far as
/// it is known.
public enum MessageType: UInt16, Sendable, CaseIterable {
    // MARK: Client to daemon                   size      terminal reply
    case hello = 0x0001  //                     96        WELCOME
    case register = 0x0002  //                  144       REGISTERED (with the device descriptor, if wanted and there)
    case launchBegin = 0x0003  //               32        LAUNCH_BEGUN or BUSY
    case acquire = 0x0004  //                   32        GRANTED or BUSY; QUEUED may come before
    case release = 0x0005  //                   48        DONE; none with tag 0
    case releaseAndAcquire = 0x0006  //         64        as ACQUIRE
    case cancel = 0x0007  //                    24        none of its own
    case launchEnd = 0x0008  //                 32        DONE
    case unregister = 0x0009  //                16        DONE
    case resyncState = 0x000A  //               48 + 8n   none of its own

    // MARK: Daemon to client
    case welcome = 0x8001  //                   48
    case registered = 0x8002  //                80
    case launchBegun = 0x8003  //               32
    case queued = 0x8004  //                    32        not terminal
    case granted = 0x8005  //                   48
    case busy = 0x8006  //                      32 + text
    case error = 0x8007  //                     24 + text terminal reply to any request that is a mistake
    case done = 0x8008  //                      16
    case revoked = 0x8009  //                   32        unsolicited, tag 0
    case deviceState = 0x800A  //               24 + text unsolicited, tag 0
    case draining = 0x800B  //                  24        unsolicited, tag 0
    case resync = 0x800C  //                    24        unsolicited, tag 0
}

extension MessageType {
    /// The size of a message with all the fields that version 1 knows, without text or tags: fewer bytes are an error.
    @inlinable public var leastSize: Int {
        switch self {
        case .unregister, .done: 16
        case .cancel, .error, .deviceState, .draining, .resync: 24
        case .launchBegin, .acquire, .launchEnd, .launchBegun, .queued, .busy, .revoked: 32
        case .release, .resyncState, .welcome, .granted: 48
        case .releaseAndAcquire: 64
        case .registered: 80
        case .hello: 96
        case .register: 144
        }
    }

    @inlinable public var isFromClient: Bool { rawValue & 0x8000 == 0 }

    /// Whether the message asks for a reply, so that its tag must not be zero.
    @inlinable public var needsTag: Bool {
        switch self {
        case .hello, .register, .launchBegin, .acquire, .releaseAndAcquire, .launchEnd, .unregister: true
        default: false
        }
    }

    /// The name used in `docs/protocol.md`, in logs and in the golden vectors.
    public var name: String {
        switch self {
        case .hello: "HELLO"
        case .register: "REGISTER"
        case .launchBegin: "LAUNCH_BEGIN"
        case .acquire: "ACQUIRE"
        case .release: "RELEASE"
        case .releaseAndAcquire: "RELEASE_AND_ACQUIRE"
        case .cancel: "CANCEL"
        case .launchEnd: "LAUNCH_END"
        case .unregister: "UNREGISTER"
        case .resyncState: "RESYNC_STATE"
        case .welcome: "WELCOME"
        case .registered: "REGISTERED"
        case .launchBegun: "LAUNCH_BEGUN"
        case .queued: "QUEUED"
        case .granted: "GRANTED"
        case .busy: "BUSY"
        case .error: "ERROR"
        case .done: "DONE"
        case .revoked: "REVOKED"
        case .deviceState: "DEVICE_STATE"
        case .draining: "DRAINING"
        case .resync: "RESYNC"
        }
    }
}
