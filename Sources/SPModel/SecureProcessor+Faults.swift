import Arbiter

extension SecureProcessor {
    /// What may be made to go wrong.
    public enum Fault: Equatable, Sendable {
        /// The command in service, or else the next, hangs this long and ends in ETIMEDOUT; from then on all is EBUSY.
        case die(hang: Nanoseconds)
        /// Nothing ends before this time has passed.
        case stall(Nanoseconds)
        /// Nothing ends until `revive`.
        case stallUntilRevived
        /// The next ioctls end at once with this errno, before the firmware is called.
        case refuse(errno: Int32, count: FaultCount)
        /// The next firmware commands are served, and end with EIO and this code.
        case firmwareError(UInt32, count: FaultCount)
        /// Ends every fault; what was stalled ends now.
        case revive
    }
}

/// How often a fault strikes.
public enum FaultCount: Equatable, Sendable {
    case next(UInt32)
    case untilRevived
}

/// The faults in force.
struct Faults: Sendable {
    private enum Health: Sendable {
        case alive
        case dying(hang: Nanoseconds)
        case dead
    }

    private var health = Health.alive
    private var stalledUntil = Instant.distantPast
    private var refusing: (error: CommandError, count: FaultCount)?
    private var failing: (error: CommandError, count: FaultCount)?

    mutating func apply(_ fault: SecureProcessor.Fault, at now: Instant) {
        switch fault {
        case .die(let hang): health = .dying(hang: hang)
        case .stall(let duration): stalledUntil = now + duration
        case .stallUntilRevived: stalledUntil = .distantFuture
        case .refuse(let errno, let count): refusing = (CommandError(errno: errno), count)
        case .firmwareError(let code, let count): failing = (.firmware(code), count)
        case .revive:
            self = Faults()
            stalledUntil = now
        }
    }

    /// The end of a command that would end at `end`.
    func delayed(_ end: Instant) -> Instant { max(end, stalledUntil) }

    /// How long the command that begins now hangs, if it is the one to time out.
    var hang: Nanoseconds? {
        if case .dying(let hang) = health { hang } else { nil }
    }

    mutating func timedOut() { health = .dead }

    /// Why an ioctl that arrives now ends at once.
    mutating func refusal() -> CommandError? {
        if case .dead = health { return .dead }
        return Self.strike(&refusing)
    }

    /// Why the command that ends now has failed.
    mutating func firmwareError() -> CommandError? { Self.strike(&failing) }

    private static func strike(_ fault: inout (error: CommandError, count: FaultCount)?) -> CommandError? {
        guard let current = fault else { return nil }
        if case .next(let count) = current.count {
            fault = count > 1 ? (current.error, .next(count - 1)) : nil
            guard count > 0 else { return nil }
        }
        return current.error
    }
}
