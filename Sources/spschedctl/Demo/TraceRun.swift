import Arbiter

/// One row of the emulator's trace: somebody held the SP without a break.
struct TraceRun: Equatable, Sendable {
    let holder: String
    /// The name of a `CommandKind`.
    let kind: String
    let start: Instant
    let end: Instant

    var isLaunch: Bool { kind.hasPrefix("launch") || kind == "wholeLaunch" }

    /// Reads `label,kind,start_ns,end_ns,units`; what is no such row is left out.
    static func runs(csv: String) -> [TraceRun] {
        csv.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 4, let start = Int64(fields[2]), let end = Int64(fields[3]) else { return nil }
            return TraceRun(
                holder: String(fields[0]), kind: String(fields[1]), start: Instant(sinceBoot: Nanoseconds(start)),
                end: Instant(sinceBoot: Nanoseconds(end)))
        }
    }
}
