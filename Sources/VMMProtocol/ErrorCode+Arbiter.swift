import Arbiter

extension ErrorCode {
    public init(_ error: RequestError) {
        switch error {
        case .unknownVM: self = .unknownVM
        case .unknownTurn: self = .unknownTurn
        case .unknownSession: self = .unknownSession
        case .sessionAlreadyOpen: self = .sessionAlreadyOpen
        case .noSession: self = .noSession
        case .kindDoesNotFitSession: self = .kindDoesNotFitSession
        case .kindNotAllowed: self = .kindNotAllowed
        case .unitsOutOfBounds: self = .unitsOutOfBounds
        case .commandAlreadyQueued: self = .commandAlreadyQueued
        case .pagesOutOfBounds: self = .pagesOutOfBounds
        case .turnStillHeld: self = .turnStillHeld
        case .tooManySessions: self = .tooManySessions
        }
    }

    public init(_ refusal: AdmissionRefusal) {
        switch refusal {
        case .capacity: self = .capacity
        case .reservedWait: self = .reservedWait
        case .patience: self = .patience
        case .tooManyVMs: self = .tooManyVMs
        case .accountReservation: self = .accountReservation
        case .invalid: self = .invalidField
        }
    }
}

extension ErrorReply {
    /// With the code's own sentence.
    public init(_ code: ErrorCode) { self.init(code: Extensible(code), text: code.sentence) }

    public init(_ error: RequestError) { self.init(ErrorCode(error)) }

    public init(_ error: WireError) { self.init(code: Extensible(error.code), text: error.sentence) }

    /// With a sentence that names what is left and the setting that binds.
    public init(_ refusal: AdmissionRefusal) {
        self.init(code: Extensible(ErrorCode(refusal)), text: refusal.sentence)
    }
}

extension AdmissionRefusal {
    /// What binds, how much is left, and what to do.
    public var sentence: String { finding + " " + advice }

    /// What binds, and how much is left.
    public var finding: String {
        switch self {
        case .capacity(let left):
            "The reservation does not fit into the capacity less the launch reserve: \(left.text) is left."
        case .reservedWait(let would, let limit):
            "With this VM the longest promised wait would be \(would.text), above guest_wait_reserved (\(limit.text))."
        case .patience(let would, let limit, let retryPolicy):
            "With one VM more (retry policy \(retryPolicy.name)) a guest might wait \(would.text), above the"
                + " \(limit.text) that its patience allows."
        case .tooManyVMs(let limit): "All \(limit) places for VMs are taken."
        case .accountReservation(let left):
            "The reservation is above what its account may still reserve: \(left.text) is left."
        case .invalid(let field, let bounds): "The field \(field) is outside its bounds: it must be \(bounds)."
        }
    }

    /// What may help, in general: whether it is enough depends on the other VMs.
    private var advice: String {
        switch self {
        case .capacity: "Accept less, run fewer VMs, raise capacity, or lower launch_reserve."
        case .reservedWait: "Reserve with smaller bursts, run fewer VMs, or raise guest_wait_reserved."
        case .patience: "Raise floor_share, or run fewer VMs."
        case .tooManyVMs: "Unregister a VM, or run fewer on this host."
        case .accountReservation:
            "Accept less, run fewer VMs with a reservation, or raise account_reservation_max."
        case .invalid: "Correct it and register again."
        }
    }
}

extension RetryPolicy {
    /// The name used in the configuration and in `docs/protocol.md`.
    var name: String {
        switch self {
        case .linux: "linux"
        case .once: "once"
        case .never: "never"
        }
    }
}
