import Arbiter

/// The codes of ERROR messages. 1…99 are the Arbiter's, 100… the protocol's, 200… refusals of a registration.
public enum ErrorCode: UInt16, Error, Sendable, CaseIterable {
    case unknownVM = 1
    case unknownTurn = 2
    case unknownSession = 3
    case sessionAlreadyOpen = 4
    case noSession = 5
    case kindDoesNotFitSession = 6
    case kindNotAllowed = 7
    case unitsOutOfBounds = 8
    case commandAlreadyQueued = 9
    case pagesOutOfBounds = 10
    case turnStillHeld = 11
    case tooManySessions = 12

    case malformed = 100
    case helloExpected = 101
    case alreadyHello = 102
    case versionUnsupported = 103
    case notRegistered = 104
    case alreadyRegistered = 105
    case unknownType = 106
    case tagZero = 107
    case tagReused = 108
    case wrongDirection = 109
    case tooManyRequests = 110
    case accessDenied = 111

    case capacity = 200
    case reservedWait = 201
    case patience = 202
    case tooManyVMs = 203
    case accountReservation = 204
    case accountConnections = 205
    case accountVMs = 206
    case invalidField = 207
    case draining = 208
}

extension ErrorCode {
    /// What happened and what to do. Where more is known than the code says, that sentence goes in its place.
    public var sentence: String {
        switch self {
        case .unknownVM: "This VM is not registered, or no longer. Register it again."
        case .unknownTurn:
            "This turn is not held by this VM: it was released before, or its lease ended. Do not use it; acquire another."
        case .unknownSession: "This launch session is not this VM's, or it has ended. Begin another."
        case .sessionAlreadyOpen: "This VM already has a launch session. End it before beginning another."
        case .noSession: "A launch command needs an open launch session. Send LAUNCH_BEGIN first."
        case .kindDoesNotFitSession:
            "This command kind does not fit the launch session: a whole launch takes one turn of its own kind, a split"
                + " launch takes start, update and finish."
        case .kindNotAllowed: "This command kind is not for VMs: platform commands go through spschedctl."
        case .unitsOutOfBounds: "The number of units is zero or beyond what this command kind may have."
        case .commandAlreadyQueued:
            "This launch session already has a command queued or a turn out. Send the next after its release."
        case .pagesOutOfBounds:
            "The launch declares no pages or vCPUs, or more than launch_pages_max or 4096 vCPUs. Correct the numbers, or"
                + " ask the administrator to raise launch_pages_max."
        case .turnStillHeld: "A turn of this launch session is still out. Release it before ending the session."
        case .tooManySessions: "No further launch session can be opened now. Try again when another launch has ended."
        case .malformed: "The message could not be read. Compare it with docs/protocol.md."
        case .helloExpected: "The first message of a connection must be HELLO."
        case .alreadyHello: "This connection has said HELLO before. Open another connection to negotiate again."
        case .versionUnsupported:
            "The daemon speaks protocol version \(ProtocolLimits.version), which is outside the client's range."
                + " Update the older of the two."
        case .notRegistered: "This connection has no VM yet. Send REGISTER after WELCOME."
        case .alreadyRegistered: "This connection already has a VM. Open a connection for each VM."
        case .unknownType: WireError.unknownType.sentence
        case .tagZero: WireError.tagZero.sentence
        case .tagReused:
            "This tag is not above the connection's last one, and its request is answered. Use strictly increasing tags."
        case .wrongDirection: WireError.wrongDirection.sentence
        case .tooManyRequests:
            "This connection has \(ProtocolLimits.outstandingTags) requests without a reply. Wait for one of them."
        case .accessDenied:
            "This account may not do that. The token may be another account's, or the administrator has not allowed it."
        case .capacity:
            "The reservations would exceed the capacity less the launch reserve. Ask for a lower reservation."
        case .reservedWait:
            "With this reservation the longest promised wait would exceed guest_wait_reserved. Ask for a lower reservation."
        case .patience:
            "With one VM more the guest floor could not serve every VM in time. Raise the floor share, or run fewer VMs."
        case .tooManyVMs: "Every place for a VM is taken. Unregister a VM, or run fewer on this host."
        case .accountReservation:
            "The reservations of this account would exceed its cap. Ask for a lower reservation, or have the cap raised."
        case .accountConnections: "This account has all the connections it may have. Close one, or have the cap raised."
        case .accountVMs: "This account has all the VMs it may have. Unregister one, or have the cap raised."
        case .draining: "The administrator is draining this host: no VM is admitted. Start it on another, or later."
        case .invalidField: "A field of the registration is outside its bounds. Correct it and register again."
        }
    }
}
