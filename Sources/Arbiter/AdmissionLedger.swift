/// What has been promised, and whether one promise more can be kept. Planning costs only, never measured ones.
struct AdmissionLedger: Sendable {
    private let bounds: PromiseBounds

    private(set) var virtualMachines: Int64 = 0
    private(set) var unreserved: Int64 = 0
    private(set) var impatient: Int64 = 0
    private(set) var reserved = Rate.zero
    private(set) var bursts: Int64 = 0

    init(_ configuration: Configuration) { bounds = PromiseBounds(configuration) }

    private var configuration: Configuration { bounds.configuration }

    // MARK: The planning costs of the largest turns

    var guestTurn: Nanoseconds { bounds.turns.guest }
    var launchTurn: Nanoseconds { bounds.turns.launch }

    // MARK: What is left

    /// SP time per second that reservations may use together.
    var reservable: Nanoseconds { bounds.reservable }

    /// The 1 per 40 s of VMs without reservation is paid from the head-room above capacity; the excess counts here.
    private func minimumBeyondHeadroom(unreserved: Int64) -> Nanoseconds {
        let headroom = Nanoseconds.seconds(1) - configuration.capacityPerSecond
        return max(Limits.leastRate.load(each: guestTurn) * unreserved - headroom, .zero)
    }

    /// The largest reservation that still fits, beside the VMs there are.
    var rateLeft: Rate {
        let left =
            reservable - reserved.load(each: guestTurn) - minimumBeyondHeadroom(unreserved: unreserved)
        return Rate(millihertz: max(left.count * 1_000 / guestTurn.count, 0))
    }

    private var fitsAnotherUnreserved: Bool {
        reserved.load(each: guestTurn) + minimumBeyondHeadroom(unreserved: unreserved + 1) <= reservable
    }

    // MARK: The bounds of the promises

    /// P6: the longest wait inside a reservation, beside the VMs there are.
    var reservedWait: Nanoseconds { bounds.reservedWait(bursts: bursts, unreserved: unreserved) }

    // MARK: Admission

    /// The reservation that the registration is given, within what it wants and accepts.
    func admit(_ registration: Registration) throws(AdmissionRefusal) -> Rate {
        try checkPatience(registration)
        let wanted = min(registration.reservationWanted, registration.limit ?? registration.reservationWanted)
        let fitting = min(wanted, rateLeft)
        if fitting >= max(Limits.leastRate, registration.reservationLeast) {
            let wait = bounds.reservedWait(bursts: bursts + registration.burst, unreserved: unreserved)
            if wait <= configuration.guestWaitReserved { return fitting }
            guard registration.reservationLeast == .zero else {
                throw .reservedWait(would: wait, limit: configuration.guestWaitReserved)
            }
        }
        guard registration.reservationLeast == .zero, fitsAnotherUnreserved else { throw .capacity(left: rateLeft) }
        let wait = bounds.reservedWait(bursts: bursts, unreserved: unreserved + 1)
        guard bursts == 0 || wait <= configuration.guestWaitReserved else {
            throw .reservedWait(would: wait, limit: configuration.guestWaitReserved)
        }
        return .zero
    }

    private func checkPatience(_ registration: Registration) throws(AdmissionRefusal) {
        let count = virtualMachines + 1
        let wait = bounds.patience(virtualMachines: count, turns: 1)
        guard wait <= Limits.frozenMax else {
            throw .patience(would: wait, limit: Limits.frozenMax, retryPolicy: .linux)
        }
        let isImpatient = registration.retryPolicy != .linux
        guard impatient > 0 || isImpatient else { return }
        let twice = bounds.patience(virtualMachines: count, turns: 2)
        guard twice <= Limits.frozenMax else {
            let binding = isImpatient ? registration.retryPolicy : .once
            throw .patience(would: twice, limit: Limits.frozenMax, retryPolicy: binding)
        }
    }

    mutating func enter(reservation: Rate, burst: Int64, retryPolicy: RetryPolicy) {
        count(by: 1, reservation: reservation, burst: burst, retryPolicy: retryPolicy)
    }

    mutating func leave(reservation: Rate, burst: Int64, retryPolicy: RetryPolicy) {
        count(by: -1, reservation: reservation, burst: burst, retryPolicy: retryPolicy)
    }

    private mutating func count(by sign: Int64, reservation: Rate, burst: Int64, retryPolicy: RetryPolicy) {
        virtualMachines += sign
        if retryPolicy != .linux { impatient += sign }
        guard reservation > .zero else {
            unreserved += sign
            return
        }
        reserved.millihertz += sign * reservation.millihertz
        bursts += sign * burst
    }
}
