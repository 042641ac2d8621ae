import Arbiter
import CapacityPlanning
import Reporting
import Simulation

/// The answer for programs. Times are in milliseconds, rates in requests a second.
extension PlanResult {
    var json: JSON {
        .object([
            ("file", .text(file)), ("virtual_machines", .integer(answers.fleet.virtualMachines)),
            ("admitted", .bool(answers.admission.isAdmitted)),
            ("reservations_in_full", .bool(answers.admission.isFulfilled)),
            ("promised_less", .integer(answers.admission.unfulfilled)),
            ("binds", .optional(answers.admission.firstRefusal, \.json)), ("groups", .list(groups)),
            ("remedy", .optional(answers.remedy, \.json)),
            (
                "smaller_reservations",
                .optional(answers.smallerReservations) {
                    .object([("most", .rate($0.most)), ("remedy", $0.remedy.json)])
                }
            ),
            ("rate_left", .rate(answers.admission.rateLeft)), ("settings", .list(answers.admission.uses.map(\.json))),
            ("largest", answers.largest.json(answers.fleet)),
            ("largest_in_full", answers.largestFulfilled.json(answers.fleet)), ("worst_case", worstCase),
            ("simulation", .optional(simulated, simulation)), ("warnings", .list(warnings.map(JSON.text))),
        ])
    }

    private var groups: [JSON] {
        answers.admission.groups.enumerated().map { index, group in
            let room = answers.room.isEmpty ? nil : answers.room[index]
            return .object([
                ("name", .text(group.name)), ("count", .integer(group.count)), ("admitted", .integer(group.admitted)),
                ("reservation_wanted", .rate(answers.fleet.groups[index].reservation ?? .zero)),
                (
                    "reservations",
                    .list(
                        group.granted.map { .object([("rate", .rate($0.reservation)), ("count", .integer($0.count))]) })
                ),
                ("room", .optional(room) { .integer($0.admitted) }),
                ("room_in_full", .optional(room) { .integer($0.fulfilled) }),
                ("then_binds", .optional(room?.refusal ?? group.refusal, \.json)),
            ])
        }
    }

    private var worstCase: JSON {
        let worst = answers.worst
        return .object([
            ("largest_guest_turn_ms", .milliseconds(worst.turns.guest)),
            ("largest_launch_turn_ms", .milliseconds(worst.turns.launch)),
            ("planned_guest_turn_ms", .milliseconds(worst.plannedTurns.guest)),
            ("planned_launch_turn_ms", .milliseconds(worst.plannedTurns.launch)),
            (
                "groups",
                .list(
                    worst.groups.map { group in
                        .object([
                            ("name", .text(group.name)), ("launch_ms", .optional(group.launch, \.json)),
                            ("boot_ms", .optional(group.boot, \.json)),
                            ("reserved_wait_ms", .optional(group.longest.reserved, \.json)),
                            ("frozen_ms", group.longest.frozen.json),
                            ("planned_reserved_wait_ms", .optional(group.planned.reserved, \.json)),
                            ("planned_frozen_ms", group.planned.frozen.json),
                        ])
                    })
            ),
            (
                "storm",
                .optional(worst.storm) {
                    .object([
                        ("launches", .integer($0.launches)), ("mean_ms", $0.mean.json), ("last_ms", $0.last.json),
                    ])
                }
            ),
        ])
    }

    private func simulation(_ simulated: SimulatedFleet) -> JSON {
        .object([
            ("seconds", .integer(simulated.length.count / 1_000_000_000)), ("seed", .text("\(seed)")),
            ("sp", .text(answers.played.sp.rawValue)),
            ("of_largest_fleet", .bool(answers.isScaled)), ("utilisation", .part(simulated.utilisation)),
            ("guest_service", .part(simulated.part(simulated.device.guestService))),
            ("launch_service", .part(simulated.part(simulated.device.launchService))),
            ("idle_while_eligible_ms", .milliseconds(simulated.device.idleWhileEligible)),
            ("groups", .list(simulated.groups.map(\.json))), ("unjoined", .list(simulated.unjoined.map(\.json))),
        ])
    }
}

extension FleetRefusal {
    fileprivate var json: JSON { .object([("setting", .text(setting)), ("sentence", .text(sentence))]) }
}

extension FleetRemedy {
    fileprivate var json: JSON {
        .object([
            ("enough", .bool(isEnough)),
            (
                "settings",
                .list(
                    changes.map {
                        .object([("key", .text($0.key)), ("was", .text($0.was)), ("value", .text($0.value))])
                    }
                )
            ),
            ("largest", .integer(largest.virtualMachines)),
        ])
    }
}

extension SettingUse {
    fileprivate var json: JSON {
        let unit = if case .time = used { "_ms" } else { "" }
        return .object([
            ("key", .text(key)), ("bounds", .text(title)), ("used\(unit)", used.json), ("limit\(unit)", limit.json),
            ("part", .part(part)),
        ])
    }
}

extension SettingUse.Amount {
    fileprivate var json: JSON {
        switch self {
        case .time(let time): .milliseconds(time)
        case .count(let count): .integer(count)
        }
    }
}

extension LargestFleet {
    fileprivate func json(_ fleet: Fleet) -> JSON {
        .object([
            ("virtual_machines", .integer(virtualMachines)),
            ("groups", .object(zip(fleet.groups, counts).map { ($0.name, .integer($1)) })),
            ("then_binds", .optional(refusal, \.json)),
        ])
    }
}

extension WorstCase.Bound {
    /// `null` where there is no bound.
    fileprivate var json: JSON { if case .within(let time) = self { .milliseconds(time) } else { .null } }
}

extension SimulatedFleet.Group {
    fileprivate var json: JSON {
        .object([
            ("name", .text(name)), ("guests", .integer(Int64(guests))),
            (
                "reports_per_second",
                .optional(rates) {
                    .object([
                        ("least", .fixed($0.least, decimals: 4)), ("mean", .fixed($0.mean, decimals: 4)),
                        ("most", .fixed($0.most, decimals: 4)),
                    ])
                }
            ),
            ("fairness", .optional(fairness) { .fixed($0, decimals: 4) }),
            (
                "latency_ms",
                .object([
                    ("p50", .optional(latency.percentile(perMille: 500), JSON.milliseconds)),
                    ("p99", .optional(latency.percentile(perMille: 990), JSON.milliseconds)),
                    ("max", .milliseconds(latency.longest)),
                ])
            ),
            ("longest_frozen_ms", .milliseconds(longestFrozen)), ("refusals", .integer(Int64(refusals))),
            ("lost_vmpck", .integer(Int64(keysLost))), ("launches", .optional(launches, \.json)),
        ])
    }
}

extension SimulatedFleet.Launches {
    fileprivate var json: JSON {
        .object([
            ("requested", .integer(Int64(requested))), ("failed", .integer(Int64(failed))),
            ("cut", .integer(Int64(boots.cutCount))),
            (
                "boot_ms",
                .object(
                    [("p50", 500), ("p99", 990), ("max", 1_000)].map { name, perMille in
                        (name, .optional(boots.quantile(perMille: perMille)) { .milliseconds($0.time) })
                    })
            ),
            ("longest_launch_ms", .optional(longestLaunch, JSON.milliseconds)),
        ])
    }
}

extension JSON {
    fileprivate static func milliseconds(_ time: Nanoseconds) -> JSON { .fixed(time.milliseconds, decimals: 3) }
    fileprivate static func rate(_ rate: Rate) -> JSON { .fixed(Double(rate.millihertz) / 1_000, decimals: 3) }
    fileprivate static func part(_ part: Double) -> JSON { .fixed(part, decimals: 4) }
}
