import Arbiter

extension PolicySettings {
    private typealias Key = SettingKey<PolicySettings>

    package static let section = "policy"

    /// What `[policy.NAME]` is about.
    package static let reason =
        "What some accounts may do and ask for. There may be several, each with a name of its own. A policy that names"
        + " a peer's user counts for it, else the first by name that names one of its groups, else the one that names"
        + " neither. Whoever no policy is for has what [account] says."

    package static let keys: [SettingKey<PolicySettings>] = whom + caps + asked

    private static let whom: [Key] = [
        .names(
            "users", \.users,
            "The users it is for, by name or number; no two policies may name one. Names are looked up when the daemon"
                + " starts or reloads; one that the host has not is a mistake."),
        .names("groups", \.groups, "The groups whose members it is for; a peer's supplementary groups count."),
        .choice(
            "access", \.access,
            "Whether they may connect at all; \"denied\" turns them away with a reason, but for resuming VMs that are"
                + " registered: those stay until they leave."
        ).from(.newRegistrations),
    ]

    private static let caps: [Key] = [
        .optionalInteger(
            "connections_max", \.connectionsMax, 1...65_536,
            "The most connections of one account; \"none\": what account.connections_max says."
        ).counting("connections"),
        .optionalInteger(
            "vms_max", \.vmsMax, 1...4_096, "The most VMs of one account; \"none\": what account.vms_max says."
        ).counting("VMs"),
        .optionalInteger(
            "launches_max", \.launchesMax, 1...4_096,
            "The most launch sessions that one account may have open; \"none\": what account.launches_max says."
        ).counting("launches"),
    ]

    private static let asked: [Key] = [
        .optionalRate(
            "reservation_max", \.reservationMax, .zero...Limits.mostRate,
            "The most requests a second that one VM is promised; a VM that accepts no less is not admitted."
        ).from(.newRegistrations),
        .optionalRate(
            "limit_max", \.limitMax, Limits.leastRate...Limits.mostRate,
            "The most requests a second that one VM may use, whether it asks for a limit or not."
        ).from(.newRegistrations),
        .integer(
            "weight_max", \.weightMax, Limits.weights.lowerBound.value...Limits.weights.upperBound.value,
            "The largest weight of one VM in the surplus."
        ).counting("weight").from(.newRegistrations),
        .integer("burst_max", \.burstMax, Limits.bursts, "The most requests of one VM that may come at once.")
            .counting("requests").from(.newRegistrations),
        .duration(
            "guest_wait_max", \.guestWaitMax, Limits.guestWaits,
            "The longest that a request outside its reservation may wait, with its guest's CPU frozen."
        ).from(.newRegistrations),
        .choice(
            "retry_policy_max", \.retryPolicies,
            "How much protection from refusals a VM may ask for: \"linux\" none, \"once\" or \"never\" what guests that"
                + " do not come back need. Protected requests go before others'."
        ).from(.newRegistrations),
        .choice(
            "failure_mode", \.failureModes,
            "What VMs do while the daemon is absent: what they ask for, or this whatever they ask for."
        ).from(.newRegistrations),
        .choice(
            "descriptor", \.descriptors,
            "Whether VMs that ask for a descriptor of the device get one. Without one they cannot launch."
        ).from(.newRegistrations),
    ]
}

extension SettingKey {
    package static func optionalInteger(
        _ path: String, _ place: Place<Int64?>, _ range: ClosedRange<Int64>, _ reason: String
    ) -> Self {
        Self(
            path: path, kind: .optionalInteger(range), reason: reason,
            read: { .optionalInteger($0[keyPath: place]) }
        ) {
            if case .optionalInteger(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func names(_ path: String, _ place: Place<[String]>, _ reason: String) -> Self {
        Self(path: path, kind: .names, reason: reason, read: { .names($0[keyPath: place]) }) {
            if case .names(let value) = $1 { $0[keyPath: place] = value }
        }
    }
}
