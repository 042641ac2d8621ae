import Arbiter
import ArgumentParser
import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO

/// Lets hostile clients loose on a release daemon, one attack after the other, and judges what its victims notice.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hostile-judge",
        abstract: "Attack a daemon in every known way and judge what its other clients notice.",
        discussion: """
            Each attack has a daemon of its own, which shares one CPU with the victim; the attacker has another. A \
            victim's turns are measured without, with and without the attack in turn. What holds neither a turn nor a \
            launch may cost the victims a fifth of their grants' p99: the median of the rounds' ratios is judged. What \
            does hold one must leave them inside the bounds of docs/architecture.md, section 6. An attack that fails \
            is tried again: machines are noisy, and a ratio that holds once can be held.
            """)

    @Option(help: "Only this attack; 'hostile-attacker --list' names them.")
    var attack: String?

    @Option(help: "Rounds of each attack.")
    var rounds = 3

    @Option(help: "Milliseconds of each measurement.")
    var milliseconds = 500

    @Option(help: "How often an attack that fails is tried.")
    var tries = 3

    @Option(help: "How often all attacks together are tried again, so that a run has an end.")
    var retries = 8

    @Option(
        help: ArgumentHelp(
            "How many times the undisturbed p99 of the victims' grants may be during an attack.",
            discussion: "1.2 is for a machine that does nothing else; a shared one needs more."))
    var ratio = 1.2

    @Option(help: "Where the results are written as JSON.")
    var results = ".build/hostile.json"

    @Flag(help: "Print the results as JSON, not as a table.")
    var json = false

    /// The user that attackers become when root starts them.
    private static let nobody: UInt32 = 65_534

    func validate() throws {
        guard (1...100).contains(rounds), (10...10_000).contains(milliseconds), (1...10).contains(tries) else {
            throw ValidationError("1 to 100 rounds, of 10 to 10000 milliseconds, 1 to 10 tries.")
        }
        guard attack == nil || Attack.all.contains(where: { $0.name == attack }) else {
            throw ValidationError("There is no attack '\(attack ?? "")'.")
        }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let allowed = try Processors.allowed()
        let processors = allowed.count > 1 ? (victims: allowed[0], attackers: allowed[1]) : nil
        if processors == nil {
            tell("There is one CPU only: victims and attackers would share it, and no ratio is measured.")
        }
        if getuid() != 0 {
            tell("Not started by root: attackers and victims are one account, and its caps hold for both.")
        }
        let began = BootClock.now()
        var outcomes: [Outcome] = []
        var retriesLeft = retries
        for attack in Attack.all where self.attack == nil || attack.name == self.attack {
            let outcome = try judge(attack, processors, tries: min(tries, 1 + retriesLeft))
            retriesLeft -= outcome.tries - 1
            outcomes.append(outcome)
        }
        try write(outcomes)
        tell("\(outcomes.count) attacks took \((BootClock.now() - began).count / 1_000_000_000) s")
        let broken = outcomes.filter { !$0.complaints.isEmpty }
        guard broken.isEmpty else {
            tell("\(broken.count) attacks reach the victims or leave traces:")
            for outcome in broken { tell("  \(outcome.attack) ×\(outcome.processes): \(outcome.complaints)") }
            throw ExitCode.failure
        }
    }

    private func judge(_ attack: Attack, _ processors: (Int, Int)?, tries: Int) throws -> Outcome {
        var last: Outcome?
        for attempt in 1...tries {
            let trial = Trial(
                attack: attack, rounds: rounds, milliseconds: milliseconds, processors: processors,
                hostileUID: getuid() == 0 ? Self.nobody : getuid(), ratioAllowed: ratio)
            var outcome: Outcome
            do {
                outcome = try trial.run()
            } catch {
                throw ProcessError("\(attack.title): \(error)")
            }
            outcome.tries = attempt
            let ratio = outcome.ratio.map { ", ratio \($0)" } ?? ""
            tell("\(attack.title): " + (outcome.complaints.first ?? "kept") + ratio + ", try \(attempt)")
            last = outcome
            if outcome.complaints.isEmpty { break }
        }
        guard let last else { throw ProcessError("\(attack.title) was not tried") }
        return last
    }

    private func write(_ outcomes: [Outcome]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data = try encoder.encode(outcomes)
        ResultFile.write(data, to: results, option: "--results")
        if json { return print(String(decoding: data, as: UTF8.self)) }
        var table = Table(heading: Outcome.heading)
        for outcome in outcomes { table.add(outcome.row) }
        print(table.text)
        // Before what is said on standard error.
        fflush(nil)
    }

    private func tell(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
