/// One guest request that waits, or is in service. A VM has at most one: KVM serialises them anyway.
struct GuestRequest: Sendable {
    let request: RequestID
    let kind: CommandKind
    let cost: Nanoseconds
    let arrivedAt: Instant
    /// The client hears nothing after this.
    let deadline: Instant

    /// Whether it counts against the reservation, which then was charged (and is refunded by `reservationBefore`).
    var isReserved = false
    var reservationBefore = CellRate()
    /// Its first attempt lies 40 s back, or it is protected and has waited 8 s.
    var isAged = false
    /// The guest would lose its key if this attempt were refused.
    var isProtected = false
    /// It waits beyond the short wait, which only the reservation permits.
    var isPatient = false
    var limitIsWaived = false
}

/// Where a VM's guest request stands.
enum GuestPhase: UInt8, Sendable {
    case idle
    /// Waits until its own limit opens; not eligible before.
    case barred
    case queued
    case inService
}
