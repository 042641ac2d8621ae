import Arbiter
import RecordWords

/// One call of the Arbiter by the daemon, but for its time.
public enum ArbiterCall: Equatable, Sendable {
    case openAccount
    case closeAccount(AccountID)
    case register(Registration, AccountID)
    case unregister(VMID)
    case beginLaunch(LaunchPlan, VMID)
    case endLaunch(SessionID, VMID)
    case acquire(Request, VMID)
    case release(TurnID, TurnOutcome, VMID)
    case releaseAndAcquire(TurnID, TurnOutcome, Request, VMID)
    case cancel(RequestID, VMID)
    case hangUp(origin: UInt64, VMID)
    case advance
    case drain
    case resume
    case probeReturned(ProbeOutcome)
    case devicePresence(isPresent: Bool)
    case acquirePlatform(CommandKind, RequestID)
    case releasePlatform(TurnID, reportsDeviceTrouble: Bool)
    case cancelPlatform(RequestID)
    /// Kept elsewhere, lest every call be as large as a configuration.
    indirect case reconfigure(Configuration)

    /// What is asked for by an `acquire`.
    public struct Request: Equatable, Sendable {
        public var id: RequestID
        public var kind: CommandKind
        public var units: UInt32
        public var maxWait: Nanoseconds?

        public init(id: RequestID, kind: CommandKind, units: UInt32, maxWait: Nanoseconds?) {
            self.id = id
            self.kind = kind
            self.units = units
            self.maxWait = maxWait
        }
    }
}

/// What a call answered at once.
public enum CallOutcome: Equatable, Sendable {
    case done
    case mistake(RequestError)
    case admitted(Admission)
    case notAdmitted(AdmissionRefusalDigest)
    case launchBegun(SessionID)
    case launchRefused(Busy)
    case accountOpened(AccountID)
    case noAccountLeft
    case accountClosed
    case accountKept
    /// Another configuration was refused, with so many objections.
    case notReconfigured(objections: UInt64)
}

/// An `AdmissionRefusal` without its words.
public struct AdmissionRefusalDigest: Equatable, Sendable {
    /// Which of the refusals, as `AdmissionRefusal` lists them.
    public let reason: UInt8
    /// Its two figures, if it has so many; of a value outside its bounds, a digest of the words.
    public let first: UInt64
    public let second: UInt64

    init(reason: UInt8, first: UInt64, second: UInt64) {
        self.reason = reason
        self.first = first
        self.second = second
    }

    public init(_ refusal: AdmissionRefusal) {
        switch refusal {
        case .capacity(let left): self.init(reason: 0, UInt64(bitPattern: left.millihertz))
        case .reservedWait(let would, let limit): self.init(reason: 1, would, limit)
        case .patience(let would, let limit, let policy): self.init(reason: 2 + policy.rawValue, would, limit)
        case .tooManyVMs(let limit): self.init(reason: 5, UInt64(limit))
        case .accountReservation(let left): self.init(reason: 6, UInt64(bitPattern: left.millihertz))
        case .invalid(let field, let bounds):
            var words = Checksum()
            for byte in field.utf8 { words.add(UInt64(byte)) }
            for byte in bounds.utf8 { words.add(UInt64(byte)) }
            self.init(reason: 7, words.value)
        }
    }

    private init(reason: UInt8, _ first: UInt64) { self.init(reason: reason, first: first, second: 0) }

    private init(reason: UInt8, _ would: Nanoseconds, _ limit: Nanoseconds) {
        self.init(
            reason: reason, first: UInt64(bitPattern: would.count), second: UInt64(bitPattern: limit.count))
    }
}

/// A call with its time and all that came of it.
public struct CallRecord: Equatable, Sendable {
    public var now: Instant
    public var call: ArbiterCall
    public var outcome: CallOutcome
    /// The first `TraceLimits.decisionsShown` decisions.
    public var decisions: [Decision]
    /// Of the further ones.
    public var further: FurtherDecisions?

    public init(
        now: Instant, call: ArbiterCall, outcome: CallOutcome, decisions: [Decision], further: FurtherDecisions? = nil
    ) {
        self.now = now
        self.call = call
        self.outcome = outcome
        self.decisions = decisions
        self.further = further
    }
}

/// How many decisions followed those that are shown, and a digest of them.
public struct FurtherDecisions: Equatable, Sendable {
    public var count: UInt64
    public var digest: UInt64

    public init(count: UInt64, digest: UInt64) {
        self.count = count
        self.digest = digest
    }
}
