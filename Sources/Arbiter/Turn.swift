/// The outstanding right to use the SP. It keeps all that its end needs, since it may outlive its VM.
struct Turn: Sendable {
    let id: TurnID
    var vm: VMID
    let kind: CommandKind
    let units: UInt32
    /// The launch session it belongs to; `nil` for guests and platform work.
    var session: SessionID?
    let origin: UInt64
    let grantedAt: Instant
    let predicted: Nanoseconds
    let lease: Nanoseconds
    /// The part of rule 6 by which a guest was chosen; `nil` for launches and platform work.
    let guestPart: GuestPart?
    /// Whether another process than the VMM drives it: its connection's end does not end it.
    var isProxy = false
    /// When its lease ended without a release.
    var overdueSince: Instant?

    var leaseEnds: Instant { grantedAt + lease }
    var isWholeLaunch: Bool { kind == .wholeLaunch }
    /// A guest's, until its lease ends.
    var isChargedToFloor: Bool { guestPart != nil && overdueSince == nil }

    func remaining(at now: Instant) -> Nanoseconds { max(predicted - (now - grantedAt), .zero) }
}

/// By which part of rule 6 a guest request is served.
enum GuestPart: UInt8, Sendable {
    case aged
    case reserved
    case shared
}
