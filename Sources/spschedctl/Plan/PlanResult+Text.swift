import Arbiter
import CapacityPlanning
import ConfigurationFiles
import Reporting

/// The answer for people.
extension PlanResult {
    var text: String {
        var parts =
            [verdict] + [advice].compactMap(\.self) + [admissionTable.text, useTable.text, largest.wrapped(at: 110)]
        if answers.played.virtualMachines > 0 {
            parts.append("\(worstHeading)\n\(worstTable.text)\n\(turnsSentence.wrapped(at: 110))")
            parts += [stormSentence].compactMap(\.self)
        }
        if let simulated {
            parts.append(
                (["\(simulatedHeading(simulated))\n\(simulatedTable(simulated).text)"]
                    + [awaySentence(simulated)?.wrapped(at: 110)].compactMap(\.self)).joined(separator: "\n"))
            if let table = launchTable(simulated) { parts.append(table.text) }
            parts.append(deviceSentence(simulated))
        }
        return (parts + warnings.map { $0.wrapped(at: 110) }).joined(separator: "\n\n")
    }

    // MARK: Admission

    /// The first sentence: yes or no, and why not.
    var verdict: String {
        let count = Format.grouped(Int(answers.fleet.virtualMachines))
        guard let refusal = answers.admission.firstRefusal else {
            let short = Format.grouped(Int(answers.admission.unfulfilled))
            return "The fleet of \(count) VMs is admitted"
                + (answers.admission.isFulfilled
                    ? ", each with the reservation it wants." : "; \(short) of them are promised less than they want.")
        }
        return "The fleet of \(count) VMs is NOT admitted: \(refusal.setting) binds. \(refusal.sentence)"
            .wrapped(at: 110)
    }

    /// What would admit it: each way was tried on the daemon's own rules.
    var advice: String? {
        guard let remedy = answers.remedy else { return nil }
        if remedy.isEnough { return "\(Self.settings(remedy)) would admit it. \(Self.trial)".wrapped(at: 110) }
        var text = "What binds cannot be moved far enough"
        // As far as it goes it may also admit fewer: the first VMs then reserve all that the last ones need.
        if remedy.largest.virtualMachines > answers.largest.virtualMachines {
            text += ": even with \(Self.settings(remedy)) "
            text += "\(Format.grouped(Int(remedy.largest.virtualMachines))) VMs of this shape are the most"
        }
        text += "."
        guard let smaller = answers.smallerReservations else {
            return (text + " Spread the VMs over more hosts.").wrapped(at: 110)
        }
        let reserving = smaller.most == .zero ? "a reservation" : "more than \(RateText.write(smaller.most)) reserved"
        text += " If no VM had \(reserving), "
        text +=
            smaller.remedy.changes.isEmpty
            ? "it would be admitted." : "\(Self.settings(smaller.remedy)) would admit it. \(Self.trial)"
        return text.wrapped(at: 110)
    }

    private static let trial = "Write it below [configuration] in the fleet file to see what that costs."

    private static func settings(_ remedy: FleetRemedy) -> String {
        let texts = remedy.changes.map { "\($0.key) = \($0.value)" }
        return texts.count < 2
            ? texts.joined() : texts.dropLast().joined(separator: ", ") + " and " + texts[texts.count - 1]
    }

    var admissionTable: Table {
        var table = Table([
            .left("GROUP"), .right("VMs"), .right("ADMITTED"), .right("WANTS"), .left("IS PROMISED"),
            .right("ROOM FOR"), .right("IN FULL"), .left("THEN BINDS"),
        ])
        for (index, group) in answers.admission.groups.enumerated() {
            let room = answers.room.isEmpty ? nil : answers.room[index]
            let refusal = room?.refusal ?? group.refusal
            table.append([
                group.name, "\(group.count)", "\(group.admitted)", Self.rate(answers.fleet.groups[index].reservation),
                Self.promised(group), room.map { "+\($0.admitted)" } ?? "-", room.map { "+\($0.fulfilled)" } ?? "-",
                refusal?.setting ?? "-",
            ])
        }
        return table
    }

    var useTable: Table {
        var table = Table([.left("SETTING"), .left("BOUNDS"), .right("USED"), .right("OF"), .right("PART")])
        for use in answers.admission.uses {
            table.append([
                use.key, use.title, use.used.text, use.limit.text, "\(Format.fixed(use.part * 100, 0)) %",
            ])
        }
        return table
    }

    /// The largest fleets of the shape.
    var largest: String {
        var text = "The largest fleet of this shape that is admitted: \(self.sentence(of: answers.largest))."
        if answers.largestFulfilled.counts != answers.largest.counts {
            text +=
                " With every reservation as it is wanted: \(self.sentence(of: answers.largestFulfilled))."
        }
        return text
    }

    private func sentence(of largest: LargestFleet) -> String {
        let count = "\(Format.grouped(Int(largest.virtualMachines))) VMs"
        let groups = zip(answers.fleet.groups, largest.counts).map { "\($1) \($0.name)" }
        let parts = groups.count > 1 ? " (\(groups.joined(separator: ", ")))" : ""
        return count + parts + (largest.refusal.map { "; then \($0.setting) binds" } ?? "; more than a host can have")
    }

    // MARK: The worst case

    private var worstHeading: String {
        "Worst case by formula" + (answers.isScaled ? ", of the largest fleet that is admitted:" : ":")
    }

    var worstTable: Table {
        var table = Table([
            .left("GROUP"), .right("LAUNCH, FIRST IN LINE (P1)"), .right("ITS BOOT"),
            .right("RESERVED WAIT (P6): PLANNED"), .right("LONGEST"), .right("FROZEN (P7): PLANNED"),
            .right("LONGEST"),
        ])
        for group in answers.worst.groups {
            table.append([
                group.name, group.launch?.text ?? "-", group.boot?.text ?? "-",
                group.planned.reserved?.text ?? "-", group.longest.reserved?.text ?? "-", group.planned.frozen.text,
                group.longest.frozen.text,
            ])
        }
        return table
    }

    /// Which turns the bounds are of, and what keeps them within their limits.
    var turnsSentence: String {
        let rules = answers.played.configuration.arbiter
        func costs(_ turns: LargestTurns) -> String {
            "a report takes \(Format.duration(turns.guest)), a launch turn \(Format.duration(turns.launch))"
        }
        return """
            PLANNED is what admission keeps within guest_wait_reserved (\(Format.duration(rules.guestWaitReserved))) \
            and a guest's patience (\(Format.duration(Limits.frozenMax))); there \(costs(answers.worst.plannedTurns)). \
            LONGEST, as P1, is with the longest that the model's SP takes and what unjoined guests add; there \
            \(costs(answers.worst.turns)). It may be above those limits: planning_cost.report and .launch_page set \
            what admission reckons with.
            """
    }

    var stormSentence: String? {
        guard let storm = answers.worst.storm else { return nil }
        return "All \(Format.grouped(Int(storm.launches))) launches at once (P2): the last is done within "
            + "\(storm.last.text), on average within \(storm.mean.text)."
    }

    // MARK: The simulation

    func simulatedHeading(_ simulated: SimulatedFleet) -> String {
        let what = answers.isScaled ? ", of the largest fleet that is admitted" : ""
        return "Simulated\(what): \(Format.fixed(simulated.length.seconds, 0)) s, seed \(seed), "
            + "SP \(answers.played.sp.rawValue)"
    }

    /// VMs that are not in the table's counts.
    func awaySentence(_ simulated: SimulatedFleet) -> String? {
        let away = zip(answers.played.groups, simulated.groups).compactMap { plan, group in
            plan.count > group.guests ? "\(plan.count - Int64(group.guests)) of \(group.name)" : nil
        }
        guard !away.isEmpty else { return nil }
        return "VMs are those that attest throughout. Places are kept for those being launched, which do not attest "
            + "meanwhile: \(away.joined(separator: ", "))."
    }

    func simulatedTable(_ simulated: SimulatedFleet) -> Table {
        var table = Table([
            .left("GROUP"), .right("VMs"), .right("WANT"), .right("REPORTS/s EACH: LEAST"), .right("MEAN"),
            .right("MOST"), .right("LATENCY p50"), .right("p99"), .right("MAX"), .right("FROZEN"), .right("REFUSED"),
            .right("KEYS LOST"),
        ])
        for (plan, group) in zip(answers.played.groups, simulated.groups) { table.append(cells(group, plan.guest)) }
        for (plan, group) in zip(answers.played.unjoined, simulated.unjoined) { table.append(cells(group, plan.guest)) }
        return table
    }

    private func cells(_ group: SimulatedFleet.Group, _ guest: GuestBehaviour) -> [String] {
        let rates = group.rates.map { [$0.least, $0.mean, $0.most].map { Format.fixed($0, 2) } } ?? ["-", "-", "-"]
        let latencies = [500, 990, 1_000].map { group.latency.percentile(perMille: $0).map(Format.duration) ?? "-" }
        return [group.name, "\(group.guests)", guest.requests.text] + rates + latencies + [
            Format.duration(group.longestFrozen), "\(group.refusals)", "\(group.keysLost)",
        ]
    }

    func launchTable(_ simulated: SimulatedFleet) -> Table? {
        var table = Table([
            .left("GROUP"), .left("PROFILE"), .right("LAUNCHES"), .right("BOOT p50"), .right("p99"), .right("MAX"),
            .right("LONGEST LAUNCH"), .right("OF P1"), .right("FAILED"),
        ])
        for (index, group) in simulated.groups.enumerated() {
            guard let launches = group.launches else { continue }
            let boots = [500, 990, 1_000].map { launches.boots.quantile(perMille: $0)?.text ?? "-" }
            table.append(
                [group.name, answers.played.groups[index].launches.profile.rawValue, "\(launches.requested)"] + boots
                    + [
                        launches.longestLaunch.map(Format.duration) ?? "-",
                        launches.longestLaunch.flatMap { answers.worst.groups[index].launch?.part($0) } ?? "-",
                        "\(launches.failed)",
                    ])
        }
        return table.rows.isEmpty ? nil : table
    }

    func deviceSentence(_ simulated: SimulatedFleet) -> String {
        func percent(_ time: Nanoseconds) -> String { "\(Format.fixed(simulated.part(time) * 100, 0)) %" }
        return
            "The SP is busy \(percent(simulated.device.busy)) of the time: \(percent(simulated.device.guestService)) "
            + "with guests, \(percent(simulated.device.launchService)) with launches."
    }

    // MARK: What needs attention

    var warnings: [String] {
        var warnings: [String] = []
        if answers.launchesExceedReserve {
            warnings.append(
                "Launches take more than arbiter.launch_reserve: reservations are suspended while they do. "
                    + (answers.launchReserveNeeded.map {
                        "arbiter.launch_reserve = \"\(DurationText.write($0))\" would be enough."
                    } ?? "A reserve that is enough would leave too little for these VMs: launch less."))
        }
        if !answers.playedAdmission.isFulfilled {
            warnings.append(
                "Not every VM gets the reservation that it wants. One that must have it says so with reservation_least."
            )
        }
        if answers.fleet.unjoinedGuests > 0 {
            warnings.append(
                "\(answers.fleet.unjoinedGuests) guests never ask, and commands wait for them. The worst case has that in"
                    + " it; admission has not.")
        }
        if let simulated, simulated.length < .seconds(secondsAsked) {
            warnings.append(
                "Only \(Format.fixed(simulated.length.seconds, 0)) s of the \(secondsAsked) s were played: hostile guests"
                    + " that are refused ask at once, for ever, and each of their requests is played.")
        }
        let lost = simulated?.groups.reduce(0) { $0 + $1.keysLost } ?? 0
        if lost > 0 { warnings.append("\(lost) guests lost their key in the simulation: they cannot attest any more.") }
        return warnings
    }

    // MARK: Words

    private static func rate(_ rate: Rate?) -> String { rate.map(RateText.write) ?? "none" }

    private static func promised(_ group: FleetAdmission.Group) -> String {
        group.granted.map { "\($0.count) × \($0.reservation == .zero ? "none" : RateText.write($0.reservation))" }
            .joined(separator: ", ")
    }
}

extension SettingUse.Amount {
    var text: String {
        switch self {
        case .time(let time): Format.duration(time)
        case .count(let count): Format.grouped(Int(count))
        }
    }
}

extension WorstCase.Bound {
    var text: String {
        switch self {
        case .within(let time): Format.duration(time)
        case .none: "no bound"
        }
    }

    /// How much of it something took.
    func part(_ time: Nanoseconds) -> String? {
        guard case .within(let bound) = self else { return nil }
        return "\(Format.fixed(Double(time.count) / Double(bound.count) * 100, 0)) %"
    }
}

extension RequestPace {
    var text: String {
        switch self {
        case .none: "none"
        case .loop: "loop"
        case .every(let rate): RateText.write(rate)
        }
    }
}
