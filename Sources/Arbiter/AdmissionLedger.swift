/// What has been promised, and whether one promise more can be kept. Planning costs only, never measured ones.
struct AdmissionLedger: Sendable {
    private(set) var bounds: PromiseBounds

    private(set) var virtualMachines: Int64 = 0
    private(set) var unreserved: Int64 = 0
    private(set) var impatient: Int64 = 0
    private(set) var reserved = Rate.zero
    private(set) var bursts: Int64 = 0
    /// What VMs need at the least beyond their reservations, so that none loses its key or stays frozen.
    private(set) var minimum = Rate.zero

    init(_ configuration: Configuration) { bounds = PromiseBounds(configuration) }

    var configuration: Configuration { bounds.configuration }

    /// What has been promised stays promised.
    mutating func adopt(_ configuration: Configuration) { bounds = PromiseBounds(configuration) }

    // MARK: The planning costs of the largest turns

    var guestTurn: Nanoseconds { bounds.turns.guest }
    var launchTurn: Nanoseconds { bounds.turns.launch }

    // MARK: What is left

    /// SP time per second that reservations may use together.
    var reservable: Nanoseconds { bounds.reservable }

    /// The minimum of VMs with no reservation, or a smaller one, is paid from the head-room above capacity; the excess
    /// counts here.
    func beyondHeadroom(_ minimum: Rate) -> Nanoseconds {
        let headroom = Nanoseconds.seconds(1) - configuration.capacityPerSecond
        return max(minimum.load(each: guestTurn) - headroom, .zero)
    }

    /// The largest reservation that still fits, beside the VMs there are.
    var rateLeft: Rate {
        let left = reservable - reserved.load(each: guestTurn) - beyondHeadroom(minimum)
        return Rate(millihertz: max(left.count * 1_000 / guestTurn.count, 0))
    }

    private func fits(_ reservation: Rate, _ retryPolicy: RetryPolicy) -> Bool {
        let rates = Rate(millihertz: reserved.millihertz + reservation.millihertz)
        let shortfall = Self.shortfall(of: reservation, retryPolicy)
        let minimum = Rate(millihertz: minimum.millihertz + shortfall.millihertz)
        return rates.load(each: guestTurn) + beyondHeadroom(minimum) <= reservable
    }

    private static func shortfall(of reservation: Rate, _ retryPolicy: RetryPolicy) -> Rate {
        let least = retryPolicy == .linux ? Limits.leastRate : Limits.leastProtectedRate
        return Rate(millihertz: max(least.millihertz - reservation.millihertz, 0))
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
        if fitting >= max(Limits.leastRate, registration.reservationLeast), fits(fitting, registration.retryPolicy) {
            let wait = bounds.reservedWait(bursts: bursts + registration.burst, unreserved: unreserved)
            if wait <= configuration.guestWaitReserved { return fitting }
            guard registration.reservationLeast == .zero else {
                throw .reservedWait(would: wait, limit: configuration.guestWaitReserved)
            }
        }
        guard registration.reservationLeast == .zero, fits(.zero, registration.retryPolicy) else {
            throw .capacity(left: rateLeft)
        }
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
        minimum.millihertz += sign * Self.shortfall(of: reservation, retryPolicy).millihertz
        guard reservation > .zero else {
            unreserved += sign
            return
        }
        reserved.millihertz += sign * reservation.millihertz
        bursts += sign * burst
    }
}
