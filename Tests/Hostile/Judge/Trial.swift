import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO

/// One attack on a daemon of its own: what the victims get without it, with it and after it, and what is left of it.
struct Trial {
    let attack: Attack
    let rounds: Int
    let milliseconds: Int
    /// Of daemon and victims, and of the attackers; `nil`: there is but one.
    let processors: (victims: Int, attackers: Int)?
    let hostileUID: UInt32
    /// How many times the undisturbed p99 the victims' may be during the attack.
    let ratioAllowed: Double

    /// In each window of the journal an offence and the disconnection that it led to are named; the rounds of one
    /// attack reach into a second window.
    private static let recordsAllowed = 4
    /// Longer than all rounds of an attack.
    private static let attackSeconds = 120
    /// As many reports, one each 200 ms, as a second and a half holds.
    private static let reports = 8

    func run() throws -> Outcome {
        let host = try ServedHost(configuration: ServedHost.impatient, processor: processors?.victims)
        let victim = try Program("hostile-victim", ["--path", host.socketPath], processor: processors?.victims)
        guard try victim.line() == "ready" else { throw ProcessError("the victim is not ready") }
        // Whatever is made when it is first needed is there now.
        _ = try measure(victim)
        let baseline = try host.baseline(victim)

        var outcome = Outcome(attack: attack.name, processes: attack.processes)
        switch attack.owed {
        case .nothing, .speed: try compareSpeeds(host, victim, baseline, &outcome)
        case .bounds(let guests, let launches):
            try compareWaits(host, victim, baseline, guests, launches, &outcome)
        }
        victim.closeInput()
        guard try victim.waitForEnd() == .exited(code: 0) else { throw ProcessError("the victim did not end in order") }
        count(try host.end(), &outcome)
        judge(&outcome)
        return outcome
    }

    // MARK: Measuring

    private func measure(_ victim: Program) throws -> TurnsAnswer { try victim.ask("turns \(milliseconds)") }

    private func compareSpeeds(
        _ host: ServedHost, _ victim: Program, _ baseline: ProcessFigures, _ outcome: inout Outcome
    ) throws {
        // On one CPU the attack has its time all the same, and what it leaves behind is judged.
        guard processors != nil else {
            _ = try attackOnce(host, baseline, &outcome) { try measure(victim) }
            return
        }
        var before = try measure(victim)
        for _ in 0..<rounds {
            let (during, newcomer) = try attackOnce(host, baseline, &outcome) {
                (try measure(victim), try victim.ask("newcomer", NewcomerAnswer.self))
            }
            let after = try measure(victim)
            outcome.rounds.append(.init(before: before, during: during, after: after))
            outcome.newcomers.append(newcomer)
            before = after
        }
    }

    private func compareWaits(
        _ host: ServedHost, _ victim: Program, _ baseline: ProcessFigures, _ guests: Attack.GuestBound, _ launches: Int,
        _ outcome: inout Outcome
    ) throws {
        let answer = try attackOnce(host, baseline, &outcome) {
            try victim.ask("waits \(Self.reports) \(launches)", WaitsAnswer.self)
        }
        let lease = outcome.attackers.map(\.leaseMax).max() ?? 0
        let bounds = Bounds(lease: lease, attackers: attack.processes)
        var closest: (took: Int64, bound: Int64) = (0, 0)
        for launch in answer.launches {
            let bound = bounds.launch(launch).count
            let isCloser = Double(launch.total) / Double(bound) > Double(closest.took) / Double(max(1, closest.bound))
            if isCloser { closest = (launch.total, bound) }
        }
        outcome.waits = .init(
            report: answer.longest,
            reportBound: (guests == .floor ? bounds.floor : bounds.reservation).count, launch: closest.took,
            launchBound: closest.bound, lease: lease,
            launchesGivenUp: answer.launches.count(where: \.isGivenUp))
    }

    /// Runs the attack during `body`, and waits until nothing of it is left in the daemon.
    private func attackOnce<Answer>(
        _ host: ServedHost, _ baseline: ProcessFigures, _ outcome: inout Outcome, _ body: () throws -> Answer
    ) throws -> Answer {
        let attacker = try Program(
            "hostile-attacker",
            [
                "--path", host.socketPath, "--attack", attack.name, "--processes", "\(attack.processes)", "--seconds",
                "\(Self.attackSeconds)", "--uid", "\(hostileUID)",
            ], processor: processors?.attackers)
        guard try attacker.line() == "attacking" else { throw ProcessError("the attack does not begin") }
        let measured = try body()
        attacker.closeInput()
        outcome.attackers.append(try attacker.answer())
        guard try attacker.waitForEnd() == .exited(code: 0) else {
            throw ProcessError("the attacker did not end in order")
        }
        let isClean = try host.comes { status, figures in
            status.registeredVMs == 1 && status.queues.launchSessions == 0
                && figures.descriptors <= baseline.descriptors
        }
        guard !isClean else { return measured }
        let (status, figures) = (try host.status(), try host.figures())
        outcome.leftBehind =
            "\(status.registeredVMs - 1) VMs, \(status.queues.launchSessions) launch sessions,"
            + " \(figures.descriptors - baseline.descriptors) descriptors"
        return measured
    }

    // MARK: Judging

    private func count(_ journal: [String], _ outcome: inout Outcome) {
        let naming = journal.filter { $0.contains("uid \(hostileUID)") }
        outcome.recordsOfAnyPriority = naming.count
        // That there is no place for its VM is told to whoever asks for one: no offence.
        let grave = naming.filter { !$0.hasPrefix("spschedd: info: ") && !$0.contains("was not admitted") }
        outcome.records = grave.count
        outcome.examples = Array((grave.isEmpty ? naming : grave).prefix(Self.recordsAllowed + 1))
        outcome.recordsWithCount = grave.count { $0.contains(/\b\d+ (further|messages|connections|records|times)/) }
    }

    private func judge(_ outcome: inout Outcome) {
        if case .speed = attack.owed, processors != nil {
            outcome.ratioAllowed = ratioAllowed
            if let ratio = outcome.ratio, ratio > ratioAllowed {
                outcome.complaints.append("grants' p99 is more than \(ratioAllowed) × the undisturbed one")
            }
        }
        if let waits = outcome.waits {
            if waits.report > waits.reportBound { outcome.complaints.append("a report waited beyond its bound") }
            if waits.launchesGivenUp > 0 {
                outcome.complaints.append("\(waits.launchesGivenUp) launches were not over after 8 s")
            } else if waits.launch > waits.launchBound {
                outcome.complaints.append("a launch took longer than its bound")
            }
        }
        if let left = outcome.leftBehind { outcome.complaints.append("10 s later it has left behind: \(left)") }
        if case .nothing = attack.owed { return }
        if outcome.records > Self.recordsAllowed {
            outcome.complaints.append("the journal names it \(outcome.records) times")
        }
        if attack.isNamed && outcome.records == 0 { outcome.complaints.append("the journal does not name it") }
    }
}
