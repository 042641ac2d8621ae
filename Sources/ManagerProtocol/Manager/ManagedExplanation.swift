/// What `Explain` answers: the registered VMs of a name or UUID, and those that were not admitted under it.
public struct ManagedExplanations: Codable, Equatable, Sendable {
    public var explanations: [ManagedExplanation]
    public var rejections: [ManagedRejection]
    /// Registered VMs of that name beyond those that are told of.
    public var leftOff: Int

    public init(explanations: [ManagedExplanation], rejections: [ManagedRejection], leftOff: Int = 0) {
        self.explanations = explanations
        self.rejections = rejections
        self.leftOff = leftOff
    }

    enum CodingKeys: String, CodingKey {
        case explanations, rejections
        case leftOff = "left_off"
    }
}

/// One VM: its level of service, how it stands with the rules now, and its last refusals, the latest first.
public struct ManagedExplanation: Codable, Equatable, Sendable {
    public var vm: ManagedVM
    public var standing: ManagedStanding
    public var refusals: [ManagedRefusal]

    public init(vm: ManagedVM, standing: ManagedStanding, refusals: [ManagedRefusal]) {
        self.vm = vm
        self.standing = standing
        self.refusals = refusals
    }
}

/// What a VM's buckets hold now, and what its guest waits for.
public struct ManagedStanding: Codable, Equatable, Sendable {
    /// How many requests would be inside the reservation if they came at once, and until the next one is.
    public var reservedRequests: Int64
    public var reservationOpensNanoseconds: Int64
    /// Until the limit permits a request; 0 while it does.
    public var limitOpensNanoseconds: Int64
    /// A launch has just ended: the next request skips the limit.
    public var skipsLimit: Bool
    /// The longest wait outside the reservation.
    public var guestWaitMaxNanoseconds: Int64
    /// Of the request that waits or was refused: the time since its first attempt, and its refusals in a row.
    public var ageNanoseconds: Int64
    public var refusalsInARow: Int64
    /// The retry policy says that the next attempt must not be refused.
    public var isProtected: Bool
    /// Until the request that waits is expected to start.
    public var predictedStartNanoseconds: Int64?
    /// Launch work that is not paid off yet, of the VM and of its account.
    public var launchDebtNanoseconds: Int64
    public var accountLaunchDebtNanoseconds: Int64
    /// Of the launch that is open.
    public var launchPagesGranted: Int64?
    public var launchPagesDeclared: Int64?

    public init(
        reservedRequests: Int64, reservationOpensNanoseconds: Int64, limitOpensNanoseconds: Int64, skipsLimit: Bool,
        guestWaitMaxNanoseconds: Int64, ageNanoseconds: Int64, refusalsInARow: Int64, isProtected: Bool,
        predictedStartNanoseconds: Int64?, launchDebtNanoseconds: Int64, accountLaunchDebtNanoseconds: Int64,
        launchPagesGranted: Int64?, launchPagesDeclared: Int64?
    ) {
        self.reservedRequests = reservedRequests
        self.reservationOpensNanoseconds = reservationOpensNanoseconds
        self.limitOpensNanoseconds = limitOpensNanoseconds
        self.skipsLimit = skipsLimit
        self.guestWaitMaxNanoseconds = guestWaitMaxNanoseconds
        self.ageNanoseconds = ageNanoseconds
        self.refusalsInARow = refusalsInARow
        self.isProtected = isProtected
        self.predictedStartNanoseconds = predictedStartNanoseconds
        self.launchDebtNanoseconds = launchDebtNanoseconds
        self.accountLaunchDebtNanoseconds = accountLaunchDebtNanoseconds
        self.launchPagesGranted = launchPagesGranted
        self.launchPagesDeclared = launchPagesDeclared
    }

    enum CodingKeys: String, CodingKey {
        case reservedRequests = "reserved_requests"
        case reservationOpensNanoseconds = "reservation_opens_ns"
        case limitOpensNanoseconds = "limit_opens_ns"
        case skipsLimit = "skips_limit"
        case guestWaitMaxNanoseconds = "guest_wait_max_ns"
        case ageNanoseconds = "age_ns"
        case refusalsInARow = "refusals_in_a_row"
        case isProtected = "protected"
        case predictedStartNanoseconds = "predicted_start_ns"
        case launchDebtNanoseconds = "launch_debt_ns"
        case accountLaunchDebtNanoseconds = "account_launch_debt_ns"
        case launchPagesGranted = "launch_pages_granted"
        case launchPagesDeclared = "launch_pages_declared"
    }
}

/// Refusals of a VM for one reason, shortly after one another.
public struct ManagedRefusal: Codable, Equatable, Sendable {
    /// Under the names of `BusyReason.managerName`.
    public var reason: String
    public var times: Int64
    /// How long ago the first and the last of them were.
    public var sinceNanoseconds: Int64
    public var agoNanoseconds: Int64
    /// The figure that bound, and the VM that stood before this one, where there is one.
    public var limit: String?
    public var holder: String?
    /// What the last of them told the client to wait, and what is left of that.
    public var retryAfterNanoseconds: Int64
    public var retryInNanoseconds: Int64
    /// What the client was told, as a sentence.
    public var text: String

    public init(
        reason: String, times: Int64, sinceNanoseconds: Int64, agoNanoseconds: Int64, limit: String?, holder: String?,
        retryAfterNanoseconds: Int64, retryInNanoseconds: Int64, text: String
    ) {
        self.reason = reason
        self.times = times
        self.sinceNanoseconds = sinceNanoseconds
        self.agoNanoseconds = agoNanoseconds
        self.limit = limit
        self.holder = holder
        self.retryAfterNanoseconds = retryAfterNanoseconds
        self.retryInNanoseconds = retryInNanoseconds
        self.text = text
    }

    enum CodingKeys: String, CodingKey {
        case reason, times, limit, holder, text
        case sinceNanoseconds = "since_ns"
        case agoNanoseconds = "ago_ns"
        case retryAfterNanoseconds = "retry_after_ns"
        case retryInNanoseconds = "retry_in_ns"
    }
}

/// A registration that was not admitted.
public struct ManagedRejection: Codable, Equatable, Sendable {
    public var uuid: String
    public var name: String
    public var account: String
    /// Under the names of the protocol's error codes.
    public var code: String
    public var times: Int64
    /// How long ago the last time was.
    public var agoNanoseconds: Int64
    /// What binds, what is left, and what to do.
    public var text: String

    public init(
        uuid: String, name: String, account: String, code: String, times: Int64, agoNanoseconds: Int64, text: String
    ) {
        self.uuid = uuid
        self.name = name
        self.account = account
        self.code = code
        self.times = times
        self.agoNanoseconds = agoNanoseconds
        self.text = text
    }

    enum CodingKeys: String, CodingKey {
        case uuid, name, account, code, times, text
        case agoNanoseconds = "ago_ns"
    }
}
