import Arbiter
import SPModel

/// Everything that a world is made from. Two worlds of one scenario are the same in every step.
public struct Scenario: Sendable {
    public var seed: UInt64
    public var configuration = Configuration()
    public var tenants: [TenantPlan] = []
    public var accounts = 1
    public var service = ServiceTimes.profile(.milan2024)
    /// How often the operator asks for a platform command; `nil` for never.
    public var platformEvery: Nanoseconds?
    /// How often the operator reloads the configuration, on average; `nil` for never.
    public var reloadEvery: Nanoseconds?
    public var disturbances = Disturbances()
    /// When guests, clients and the operator stop asking, and how many steps they take at most.
    public var duration = Nanoseconds.seconds(2)
    public var stepsMax = 200
    /// The Arbiter's own account of itself looks at every VM: after every so many steps.
    public var checksInvariantsEvery = 1
    /// Whether guests and sessions that come into a hold are a violation by themselves.
    public var judgesHolds = true
    /// Which of what happens at one instant comes first: the Arbiter's wake-up, or what others do.
    public var ties = Ties.drawn
    /// What was mutated, for the canaries: worlds in which the checker has to speak.
    public var mutation: Mutation?

    public init(seed: UInt64) { self.seed = seed }
}

/// What comes first of two things at one instant.
public enum Ties: Sendable, CaseIterable {
    case drawn
    case wakeFirst
    case wakeLast
}

/// One VM: what it asks for, what its guest does, and how its VMM launches it.
public struct TenantPlan: Sendable {
    public var account = 0
    public var arrives = Nanoseconds.zero
    public var registration = Registration(reservationWanted: .zero)
    public var guest = GuestPlan()
    public var launch: LaunchClient?

    public init() {}
}

/// What a guest does.
public struct GuestPlan: Sendable {
    public enum Pace: Sendable, Equatable {
        case silent
        /// The next request follows the answer to the last.
        case loop(think: Nanoseconds)
        /// An absolute schedule: a late answer does not move the next request.
        case every(Nanoseconds)
        /// So many in a row, at each of these times.
        case bursts(of: Int, every: Nanoseconds)
        /// Each of these after the answer to the one before, and no more.
        case script([Nanoseconds])
    }

    public enum AfterBusy: Sendable, Equatable {
        /// What the VM's retry policy says: Linux sleeps, COCONUT-SVSM asks once more at once.
        case asPolicy
        /// Asks again after this, for ever.
        case insists(after: Nanoseconds)
    }

    public var pace = Pace.silent
    public var afterBusy = AfterBusy.asPolicy
    public var starts = Nanoseconds.zero
    public var kinds: [CommandKind] = [.report]
    public var maxWait: Nanoseconds?
    /// In thousandths of its requests: cancelled after a moment; sent although another is outstanding.
    public var cancels: Int64 = 0
    public var doubles: Int64 = 0
    public var holding = Holding()

    public init() {}
}

/// How a VMM launches its VM.
public struct LaunchClient: Sendable {
    public var starts = Nanoseconds.zero
    /// How often it launches, and how long it waits in between: a VM reset begins another launch.
    public var launches = 1
    public var pause = Nanoseconds.milliseconds(10)
    public var declaredPages: UInt32 = 64
    public var truePages: UInt32 = 64
    public var virtualCPUs: UInt32 = 1
    public var isWhole = false
    public var isProxy = false
    /// How many pages it asks for at once; the grant may be smaller.
    public var pagesAtOnce: UInt32 = 32
    /// Between the end of a command and the next. One is drawn each time, or they are taken in turn.
    public var gaps: [Nanoseconds] = [.microseconds(300)]
    public var takesGapsInTurn = false
    /// Returns a turn and asks for the next in one message.
    public var joinsMessages = false
    public var maxWait: Nanoseconds?
    /// In thousandths of its commands: it dies holding its turn, cancels, or says that ccp failed.
    public var crashes: Int64 = 0
    public var cancels: Int64 = 0
    public var reportsTrouble: Int64 = 0
    /// Begins and ends sessions without a command.
    public var onlyBegins = false
    /// Leaves its session open when it is done.
    public var neverEnds = false
    public var holding = Holding()

    public init() {}
}

/// How a holder of a turn behaves, in thousandths of its turns.
public struct Holding: Sendable, Equatable {
    /// Returns the turn late by `lateness`, or never.
    public var late: Int64 = 0
    public var lateness = Nanoseconds.zero
    public var never: Int64 = 0

    public init() {}
}

/// What goes wrong outside the clients.
public struct Disturbances: Sendable {
    public enum Kind: Sendable, CaseIterable {
        case hangUp
        case churn
        case drain
        case suspend
        case clockStepsBack
        case mistakes
        case absence
    }

    public var kinds: [Kind] = []
    /// On average.
    public var every = Nanoseconds.milliseconds(200)
    /// How late the daemon gets to hear of things, at most.
    public var latency = Nanoseconds.zero
    /// Of probes, in thousandths: those that come back late, find the device dead, or cannot be made.
    public var lateProbes: Int64 = 0
    public var deadProbes: Int64 = 0
    public var unavailableProbes: Int64 = 0

    public init() {}
}

/// What commands cost the SP.
public enum ServiceTimes: Sendable {
    /// As measured and fitted.
    case profile(Profile)
    /// A share of the planning cost, drawn from this range of thousandths.
    case ofPlanning(ClosedRange<Int64>)
}
