import Reporting

/// What the results mean, in numbers, and what they rest on.
struct Conclusion {
    let results: DemoResults

    init(_ results: DemoResults) { self.results = results }

    var text: String { (sentences + [Self.modelled, Self.scope]).joined(separator: "\n") }

    /// What was found out.
    var sentences: [String] {
        [launches, guests, budget, keys].compactMap(\.self)
    }

    static let modelled = """
        Modelled, not measured: the SP's service times (profile milan-2024: fitted to or assumed after published \
        figures), the pauses of VMM and guest, 144 ms of boot work outside the SP, the guest driver's 2.046 s after \
        BUSY. Measured here: everything that happens in between, by the real spschedd over its real socket, one \
        process for each VM.
        """

    static let scope = "This holds when all VMs joined, on Linux ≥ 7.0, for extended reports only."

    private var most: Int { results.runs.map(\.antagonists).max() ?? 0 }

    private func run(_ policy: Policy, _ antagonists: Int) -> RunResult? {
        results.runs.first { $0.policy == policy && $0.antagonists == antagonists }
    }

    private var launches: String? {
        guard most > 0, let ours = run(.spschedd, most), let p50 = ours.boot?.p50 else { return nil }
        var text = "With \(most) VMs attesting in a tight loop, a VM boots in \(p50.text) (p50) under spschedd"
        if let alone = run(.spschedd, 0)?.boot?.p50, !alone.isCut, !p50.isCut {
            let ratio = Format.fixed(p50.time.milliseconds / alone.time.milliseconds, 2)
            text += ", \(ratio) × the \(alone.text) it takes with none"
        }
        if let mutex = run(.mutex, most)?.boot?.p50 {
            text +=
                mutex.isCut
                ? "; unarbitrated it was not running after \(mutex.amount)" : "; unarbitrated in \(mutex.text)"
        }
        if let limited = run(.ratelimit, most)?.boot?.p50 {
            text +=
                "; behind the rate limit \(limited.isCut ? "it was not running after \(limited.amount)" : "in \(limited.text)")"
        }
        return text + "."
    }

    private var guests: String? {
        guard most > 0, let ours = run(.spschedd, most), let rate = ours.reportsPerSecond else { return nil }
        var text = "Between launches its guests get \(Format.fixed(rate, 0)) reports/s"
        if let limited = run(.ratelimit, most)?.reportsPerSecond {
            text += ", behind the rate limit \(Format.fixed(limited, 0))"
        }
        if let jain = ours.jain {
            text += "; Jain's index of fairness between them is \(Format.fixed(jain, 3))"
            if !ours.isSteady {
                text += " (in so short a run it tells more of the start than of the steady state: try --seconds 30)"
            }
        }
        return text + "."
    }

    private var budget: String? {
        let groups = BudgetGroup.groups(of: results.budget)
        guard let reserved = groups.first(where: { $0.first.reservationPerSecond > 0 }) else { return nil }
        let limited = groups.filter { $0.first.limitPerSecond != nil }
        let limits = limited.map { "\(Format.fixed($0.meanGot, 2)) of \(Format.fixed($0.expected, 0))" }
        return "Of the budget: \(reserved.members.count) VMs with \(Format.fixed(reserved.expected, 0))/s reserved got "
            + "\(reserved.gotText)/s each; VMs in a tight loop against a limit got \(limits.joined(separator: ", "))/s."
    }

    private var keys: String? {
        let lost = results.runs.reduce(0) { $0 + $1.lostKeys }
        guard lost > 0 else { return nil }
        return "\(lost) guests were refused for 60 s and lost their VMPCK."
    }
}

extension Latency {
    /// Without the mark of a cut: for sentences that say it in words.
    fileprivate var amount: String { "\(Format.fixed(time.seconds, 1)) s" }
}
