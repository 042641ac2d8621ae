import HostileSupport

/// What one attack came to, and what it was judged for. Times are in nanoseconds.
struct Outcome: Codable {
    var attack: String
    var processes: Int
    /// The longest ratio that is accepted; `nil`: none is.
    var ratioAllowed: Double?
    /// One for each round: undisturbed before and after, and under the attack.
    var rounds: [Round] = []
    var waits: Waits?
    /// Another VM's way in, once in each round.
    var newcomers: [NewcomerAnswer] = []
    var attackers: [AttackerAnswer] = []
    /// Records of the journal, notices and worse, that name the hostile account; and those of them with a count.
    var records = 0
    var recordsWithCount = 0
    /// Every record that names it, of any priority.
    var recordsOfAnyPriority = 0
    /// The first few of them.
    var examples: [String] = []
    var leftBehind: String?
    var tries = 1
    /// Why it failed: empty where it did not.
    var complaints: [String] = []

    struct Round: Codable {
        var before, during, after: TurnsAnswer
        /// During, against the mean of before and after.
        var ratio: Double { 2 * Double(during.p99) / Double(before.p99 + after.p99) }
    }

    /// The longest waits, against their bounds.
    struct Waits: Codable {
        var report: Int64
        var reportBound: Int64
        var launch: Int64
        /// The bound of that launch which came closest to its own.
        var launchBound: Int64
        var lease: Int64
        var launchesGivenUp: Int
    }

    var ratio: Double? {
        let sorted = rounds.map(\.ratio).sorted()
        return sorted.isEmpty ? nil : sorted[sorted.count / 2]
    }
}

extension Outcome {
    static let heading = [
        "attack", "before p99", "during p99", "ratio", "report", "bound", "launch", "bound", "newcomer", "messages",
        "named", "counts", "tries", "verdict",
    ]

    var row: [String] {
        func middle(_ values: [Int64]) -> String {
            values.isEmpty ? "" : Self.time(values.sorted()[values.count / 2])
        }
        let newcomer = newcomers.contains { !$0.isRegistered } ? "refused" : middle(newcomers.map(\.took))
        return [
            processes == 1 ? attack : "\(attack) ×\(processes)", middle(rounds.map(\.before.p99)),
            middle(rounds.map(\.during.p99)), ratio.map { Self.decimal($0, 2) } ?? "",
            waits.map { Self.time($0.report) } ?? "", waits.map { Self.time($0.reportBound) } ?? "",
            waits.map { Self.time($0.launch) } ?? "", waits.map { Self.time($0.launchBound) } ?? "", newcomer,
            "\(attackers.reduce(0) { $0 + $1.messages })", "\(records)", "\(recordsWithCount)", "\(tries)",
            complaints.isEmpty ? (ratioAllowed == nil && waits == nil ? "reported" : "kept") : "BROKEN",
        ]
    }

    private static func time(_ nanoseconds: Int64) -> String {
        switch nanoseconds {
        case ..<1_000_000: decimal(Double(nanoseconds) / 1_000, 1) + " µs"
        case ..<1_000_000_000: decimal(Double(nanoseconds) / 1_000_000, 1) + " ms"
        default: decimal(Double(nanoseconds) / 1_000_000_000, 2) + " s"
        }
    }

    private static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        let scaled = Int((value * scale).rounded())
        let fraction = "\(scaled % Int(scale))"
        return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
