import Arbiter
import ConfigurationFiles

extension FleetGroup {
    /// The keys of a `[[group]]`, as a fleet file has them.
    package static let keys: [SettingKey<FleetGroup>] = identity + rates + guestKeys + launches

    private static let identity: [SettingKey<FleetGroup>] = [
        .word("name", \.name, lengthMax: FleetLimits.nameLength, "What messages and results call the group."),
        .integer("count", \.count, 1...FleetLimits.virtualMachines, "How many VMs it has."),
        .word(
            "account", \.account, lengthMax: FleetLimits.nameLength,
            "Whose VMs they are: VMs of one account share its caps, and by default all have the same."),
    ]

    private static let rates: [SettingKey<FleetGroup>] = [
        .optionalRate(
            "reservation", \.reservation, Limits.leastRate...Limits.mostRate,
            "The rate of reports that each VM wants to be promised."),
        .optionalRate(
            "reservation_least", \.reservationLeast, Limits.leastRate...Limits.mostRate,
            "The least that it accepts; with none it also runs on the surplus."),
        .optionalRate("limit", \.limit, Limits.leastRate...Limits.mostRate, "The most that each VM may use."),
        .integer(
            "weight", \.weight, Limits.weights.lowerBound.value...Limits.weights.upperBound.value,
            "Each VM's share of the surplus, against the others' weights."),
        .integer(
            "burst", \.burst, Limits.bursts, "How many requests may come at once inside the reservation and the limit."
        ),
        SettingKey(
            path: "guest_wait_max", kind: .duration(Limits.guestWaits),
            reason: "How long a request outside the reservation may wait; by default as the configuration says.",
            read: { .duration($0.guestWaitMax ?? Configuration().guestWaitMax) },
            write: { if case .duration(let value) = $1 { $0.guestWaitMax = value } }),
    ]

    private static let launches: [SettingKey<FleetGroup>] = [
        .choice("launch_profile", \.launches.profile, "What is measured when a VM is launched."),
        .decimal(
            "launches_per_minute", thousandths: \.launches.perThousandMinutes, FleetLimits.launchesPerThousandMinutes,
            "How many VMs of the group are launched anew in each minute, all together."),
        .choice("launch_spacing", \.launches.spacing, "Whether launches come evenly or at random times."),
        .choice(
            "launch_turns", \.launches.turns,
            "Whether the VMM asks for each piece of a launch, or for one turn for the whole of it."),
        .integer(
            "vcpus", \.launches.virtualCPUs, 1...Int64(Limits.virtualCPUsMax),
            "How many vCPUs each VM has: each costs a page more."),
    ]
}

extension UnjoinedGroup {
    /// The keys of an `[[unjoined]]`.
    package static let keys: [SettingKey<UnjoinedGroup>] =
        [
            .word("name", \.name, lengthMax: FleetLimits.nameLength, "What results call the group."),
            .integer("count", \.count, 1...FleetLimits.unjoined, "How many such guests there are."),
        ] + guestKeys
}

extension GuestGroupPlan {
    /// What guests do is told with the same keys wherever they are.
    fileprivate static var guestKeys: [SettingKey<Self>] {
        [
            .choice(
                "guest", \.guest.kind,
                "What the guest does when it is refused: retry as Linux, once, never, or at once and for ever."),
            SettingKey(
                path: "requests", kind: .choiceOrRate(["loop", "none"], FleetLimits.requestRates),
                reason: "How often each guest wants a report: at a rate, in a tight loop, or not at all.",
                read: { $0.guest.requests.value }, write: { $0.guest.requests = RequestPace($1) }),
            .integer(
                "requests_at_once", \.guest.atOnce, FleetLimits.requestsAtOnce,
                "How many reports it wants at once, at the same rate on average."),
            .choice("starts", \.guest.starts, "Whether the guests begin at random times or all at once."),
        ]
    }
}

extension RequestPace {
    fileprivate init(_ value: ConfigurationValue) {
        switch value {
        case .rate(let rate?): self = .every(rate)
        case .choice("loop"): self = .loop
        default: self = .none
        }
    }

    fileprivate var value: ConfigurationValue {
        switch self {
        case .none: .choice("none")
        case .loop: .choice("loop")
        case .every(let rate): .rate(rate)
        }
    }
}
