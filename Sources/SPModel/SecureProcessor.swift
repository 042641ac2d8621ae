import Arbiter

/// The SP behind the kernel's mutex: one command at a time, first come, first served, page by page.
///
/// ```
///   submit -> [ queue, by arrival ] -> in service -> ended: last command? -> Completion
///                    ^                                 | no
///                    +--- arrives again 30 µs later ---+
/// ```
///
/// Knows no clock: every entry takes `now`, which must not run backwards. A command begins at the later of its own
/// arrival and its predecessor's end and ends one drawn service time later, however late `advance` is called: lateness
/// of the caller never adds up.
public struct SecureProcessor: Sendable {
    public let profile: Profile

    private var random: SplitMix64
    private var queue = ArrivalQueue()
    private var inService: Service?
    /// The end of the last command.
    private var freeAt = Instant.distantPast
    private var faults = Faults()
    private var guests: Set<UInt64> = []
    private var runs = RunRecorder()
    private let slowOneIn: UInt64?

    public private(set) var counts = Counts()

    /// - Parameters:
    ///   - recordsRuns: whether `takeRuns` has anything to give.
    ///   - slowOneIn: makes one firmware command in so many take ten times as long; at least 1. No such thing was
    ///     observed.
    public init(profile: Profile, seed: UInt64, recordsRuns: Bool = false, slowOneIn: UInt64? = nil) {
        self.profile = profile
        self.slowOneIn = slowOneIn
        random = SplitMix64(seed: seed)
        runs.isRecording = recordsRuns
    }

    // MARK: Commands

    /// One ioctl or guest request of `origin`, which must have no other outstanding. Everything due by `now` happens
    /// first.
    public mutating func submit(
        _ sequence: CommandSequence, origin: UInt64, tag: UInt64, at now: Instant,
        into completions: inout [Completion]
    ) {
        advance(to: now, into: &completions)
        let job = Job(origin: origin, tag: tag, sequence: sequence)
        if let error = faults.refusal() {
            completions.append(end(job, at: now, error: error))
        } else {
            queue.insert(job, arrival: now)
            // On an idle SP it begins at once.
            advance(to: now, into: &completions)
        }
    }

    /// The process of `origin` is gone: what it queued is dropped, but a command in service runs on.
    public mutating func hangUp(origin: UInt64) {
        queue.remove(origin: origin)
        guests.remove(origin)
        if inService?.job.origin == origin { inService?.isAbandoned = true }
    }

    /// Appends, in order, everything that ends by `now`.
    public mutating func advance(to now: Instant, into completions: inout [Completion]) {
        while step(by: now, into: &completions) {}
    }

    /// The same, but only up to the first instant at which something ends that a client waits for. For callers in
    /// virtual time, who need not look at each page.
    public mutating func advanceToCompletion(by limit: Instant, into completions: inout [Completion]) {
        let before = completions.count
        while completions.count == before, step(by: limit, into: &completions) {}
    }

    /// Ends the command in service or begins the next, whichever it is, if that happens by `limit`.
    private mutating func step(by limit: Instant, into completions: inout [Completion]) -> Bool {
        if let service = inService {
            let ended = faults.delayed(service.end)
            guard ended <= limit else { return false }
            inService = nil
            finish(service, at: ended, into: &completions)
        } else {
            guard let arrival = queue.firstArrival, max(arrival, freeAt) <= limit, let first = queue.first else {
                return false
            }
            queue.removeFirst()
            inService = begun(first.job, arrived: arrival, at: max(arrival, freeAt))
        }
        return true
    }

    /// When `advance` next has something to do; `nil` while idle or stalled until told otherwise.
    public var nextEvent: NextEvent? {
        if let service = inService {
            let end = faults.delayed(service.end)
            return end == .distantFuture ? nil : NextEvent(at: end, isCompletion: service.job.isAtLastCommand)
        }
        return queue.first.map { NextEvent(at: max($0.arrival, freeAt), isCompletion: false) }
    }

    /// The totals, with what has been served by `now` of the command in service. Everything due by `now` must have
    /// happened.
    public func counts(at now: Instant) -> Counts {
        guard let service = inService else { return counts }
        var counts = counts
        counts.serve(now - service.begin, service.job.sequence.kind)
        return counts
    }

    /// How many VMs have a guest context: those that launched and did not hang up.
    public var guestCount: Int { guests.count }

    /// Whose command is in service.
    public var servedOrigin: UInt64? { inService?.job.origin }

    /// Ioctls that wait, the one in service included.
    public var outstanding: Int { queue.count + (inService == nil ? 0 : 1) }

    /// The contiguous runs of service that have ended since the last call.
    public mutating func takeRuns(includingCurrent: Bool = false) -> [Run] {
        runs.take(includingCurrent: includingCurrent)
    }

    // MARK: Faults

    /// Brings about a fault, or ends all of them. Everything due by `now` happens first.
    public mutating func apply(_ fault: Fault, at now: Instant, into completions: inout [Completion]) {
        advance(to: now, into: &completions)
        if case .die(let hang) = fault, let service = inService {
            // The command in service is the one that times out.
            inService?.end = max(now, service.begin + hang)
            inService?.timesOut = true
        }
        faults.apply(fault, at: now)
        advance(to: now, into: &completions)
    }

    // MARK: Service

    private mutating func begun(_ job: Job, arrived: Instant, at begin: Instant) -> Service {
        let step = job.sequence.step(at: job.commandsDone)
        var drawn = profile.service(of: step.command, using: &random) * step.pages
        if let slowOneIn, random.next() % slowOneIn == 0 { drawn = drawn * Self.slowFactor }
        let hang = faults.hang
        return Service(
            job: job, arrived: arrived, begin: begin, end: begin + (hang ?? drawn), timesOut: hang != nil)
    }

    private mutating func finish(_ service: Service, at ended: Instant, into completions: inout [Completion]) {
        freeAt = ended
        var job = service.job
        job.queued += service.begin - service.arrived
        job.served += ended - service.begin
        counts.firmwareCommands += 1
        counts.serve(ended - service.begin, job.sequence.kind)
        runs.record(job, from: service.begin, to: ended)
        let isAbandoned = service.isAbandoned

        if service.timesOut {
            faults.timedOut()
            if !isAbandoned { completions.append(end(job, at: ended, error: .timedOut)) }
            failQueue(at: ended, into: &completions)
        } else if isAbandoned {
            counts.abandoned += 1
        } else if let error = faults.firmwareError() {
            completions.append(end(job, at: ended, error: error))
        } else {
            job.commandsDone += 1
            if job.commandsDone == job.sequence.count {
                completions.append(end(job, at: ended, error: nil))
            } else {
                queue.insert(job, arrival: ended + profile.gaps.betweenPages)
            }
        }
    }

    private static let slowFactor: Int64 = 10

    /// After a time-out the ccp driver answers every caller EBUSY until it is loaded again.
    private mutating func failQueue(at now: Instant, into completions: inout [Completion]) {
        while let waiting = queue.first {
            queue.removeFirst()
            var job = waiting.job
            job.queued += max(now - waiting.arrival, .zero)
            completions.append(end(job, at: now, error: .dead))
        }
    }

    private mutating func end(_ job: Job, at now: Instant, error: CommandError?) -> Completion {
        counts.ioctls += 1
        if error != nil { counts.failed += 1 }
        if error == nil, job.sequence.kind == .launchStart { guests.insert(job.origin) }
        return Completion(
            origin: job.origin, tag: job.tag, kind: job.sequence.kind, error: error, queued: job.queued,
            service: job.served, unitsDone: job.sequence.unitsDone(after: job.commandsDone), ended: now)
    }
}

extension SecureProcessor {
    /// What became of one ioctl.
    public struct Completion: Equatable, Sendable {
        public let origin: UInt64
        public let tag: UInt64
        public let kind: CommandKind
        /// `nil` if all of it was done.
        public let error: CommandError?
        /// The time its commands waited, and the time they were served, each summed.
        public let queued: Nanoseconds
        public let service: Nanoseconds
        public let unitsDone: UInt32
        public let ended: Instant
    }

    public struct NextEvent: Equatable, Sendable {
        public let at: Instant
        /// Whether a client waits for just this; otherwise a page ends or begins, which nobody sees at once.
        public let isCompletion: Bool
    }

    /// Totals since the start.
    public struct Counts: Equatable, Sendable {
        public var firmwareCommands: UInt64 = 0
        public var ioctls: UInt64 = 0
        /// Those of them that ended with an error.
        public var failed: UInt64 = 0
        /// Ioctls cut short because their process had hung up.
        public var abandoned: UInt64 = 0
        /// SP time served: in all, to launch commands, and to guests' requests.
        public var busy = Nanoseconds.zero
        public var launches = Nanoseconds.zero
        public var guests = Nanoseconds.zero

        public init() {}

        mutating func serve(_ time: Nanoseconds, _ kind: CommandKind) {
            busy += time
            switch kind.commandClass {
            case .launch: launches += time
            case .guest: guests += time
            case .platform: break
            }
        }
    }
}

/// An error as the kernel gives it: an errno, and the firmware's code where the firmware was called.
public struct CommandError: Equatable, Sendable {
    /// Linux's number for x86-64.
    public let errno: Int32
    public let firmwareCode: UInt32

    public init(errno: Int32, firmwareCode: UInt32 = 0) {
        self.errno = errno
        self.firmwareCode = firmwareCode
    }

    /// ETIMEDOUT: this command did not come back. The ccp driver gives up the device.
    public static let timedOut = CommandError(errno: 110)
    /// EBUSY: the device was given up before.
    public static let dead = CommandError(errno: 16)
    /// EIO: the firmware refused.
    public static func firmware(_ code: UInt32) -> Self { CommandError(errno: 5, firmwareCode: code) }
}

/// An ioctl on its way through the queue.
struct Job: Sendable {
    let origin: UInt64
    let tag: UInt64
    let sequence: CommandSequence
    var commandsDone = 0
    var queued = Nanoseconds.zero
    var served = Nanoseconds.zero

    var isAtLastCommand: Bool { commandsDone + 1 == sequence.count }
}

/// The one firmware command in service.
private struct Service: Sendable {
    let job: Job
    let arrived: Instant
    let begin: Instant
    var end: Instant
    var timesOut: Bool
    var isAbandoned = false
}
