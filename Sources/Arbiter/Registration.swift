/// What a guest does when it is refused. It decides how often it may be refused.
public enum RetryPolicy: UInt8, Sendable, CaseIterable {
    /// Linux's `sev-guest` since 2023: sleeps 2 s and sends the same message again, for 60 s.
    case linux = 0
    /// COCONUT-SVSM: sends it again once, at once; a second refusal costs the guest its key.
    case once = 1
    /// Guests before 2023: the first refusal costs the guest its key.
    case never = 2
}

/// What a VM asks for when it registers.
public struct Registration: Sendable, Equatable {
    /// Promised rate wanted, and the least that is accepted (zero: surplus only).
    public var reservationWanted: Rate
    public var reservationLeast: Rate
    /// The most it may use; `nil` for no limit.
    public var limit: Rate?
    public var weight: Weight
    /// How many requests may come at once, inside the reservation and the limit.
    public var burst: Int64
    public var retryPolicy: RetryPolicy
    /// How long a request of the shared part may wait before it is refused; `nil` for the configured default.
    public var guestWaitMax: Nanoseconds?

    public init(
        reservationWanted: Rate = .perSecond(1), reservationLeast: Rate = .zero, limit: Rate? = nil,
        weight: Weight = Weight(100), burst: Int64 = 3, retryPolicy: RetryPolicy = .linux,
        guestWaitMax: Nanoseconds? = nil
    ) {
        self.reservationWanted = reservationWanted
        self.reservationLeast = reservationLeast
        self.limit = limit
        self.weight = weight
        self.burst = burst
        self.retryPolicy = retryPolicy
        self.guestWaitMax = guestWaitMax
    }
}

/// What was granted. It does not shrink while the VM lives.
public struct Admission: Sendable, Equatable {
    public let vm: VMID
    public let reservation: Rate
    /// The longest a request inside the reservation may ever wait: the configured bound, below which promise P6 is kept
    /// by refusing registrations. The bound of the moment is less, and grows with each VM that joins.
    public let guestWaitReserved: Nanoseconds
    public let guestWaitMax: Nanoseconds

    package init(vm: VMID, reservation: Rate, guestWaitReserved: Nanoseconds, guestWaitMax: Nanoseconds) {
        self.vm = vm
        self.reservation = reservation
        self.guestWaitReserved = guestWaitReserved
        self.guestWaitMax = guestWaitMax
    }
}

/// Why a registration was refused: what binds, and what is left.
public enum AdmissionRefusal: Error, Equatable, Sendable {
    /// The reservations would exceed capacity less the launch reserve; this much is left to reserve.
    case capacity(left: Rate)
    /// The promised wait inside reservations would exceed `guest_wait_reserved`.
    case reservedWait(would: Nanoseconds, limit: Nanoseconds)
    /// With one VM more the floor could not serve every VM within the patience of a guest.
    case patience(would: Nanoseconds, limit: Nanoseconds, retryPolicy: RetryPolicy)
    /// Every VM slot is taken.
    case tooManyVMs(limit: Int)
    case accountReservation(left: Rate)
    /// A value lies outside its bounds; `field` names it as the protocol does.
    case invalid(field: String, bounds: String)
}
