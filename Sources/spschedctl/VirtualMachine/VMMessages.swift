import Arbiter

/// What a VM process of the demo tells the process that plays the host. One record each, as text.
enum VMReport: Equatable, Sendable {
    /// Connected and registered; waits for its order.
    case ready
    /// The guest got a report at `end`.
    case report(end: Instant)
    /// The guest was told BUSY.
    case busy(at: Instant)
    /// The guest driver gave up after 60 s and wiped its VMPCK.
    case keyLost(at: Instant)
    case launched(LaunchTimes)
    /// The VM cannot go on, for this reason.
    case failed(String)
}

/// When the stations of one launch were reached.
struct LaunchTimes: Equatable, Sendable {
    /// The VMM wanted to issue the first command.
    var requested: Instant
    /// It could: at once where nobody arbitrates.
    var began: Instant
    /// The last command was done.
    var ended: Instant
    /// The VM runs.
    var running: Instant

    var bootLatency: Nanoseconds { running - requested }
}

/// What the host tells a VM process.
enum VMOrder: Equatable, Sendable {
    /// Begin at this instant.
    case start(at: Instant)
}

// MARK: - Text

extension VMReport {
    var text: String {
        switch self {
        case .ready: "ready"
        case .report(let end): "report \(end.sinceBoot.count)"
        case .busy(let at): "busy \(at.sinceBoot.count)"
        case .keyLost(let at): "key-lost \(at.sinceBoot.count)"
        case .launched(let times):
            "launched " + times.stations.map { "\($0.sinceBoot.count)" }.joined(separator: " ")
        case .failed(let reason): "failed \(reason)"
        }
    }

    /// `nil` if it is no report.
    init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        let rest = parts.count > 1 ? String(parts[1]) : ""
        let numbers = rest.split(separator: " ").compactMap { Int64($0) }.map { Instant(sinceBoot: Nanoseconds($0)) }
        switch (parts.first, numbers.count) {
        case ("ready", 0): self = .ready
        case ("report", 1): self = .report(end: numbers[0])
        case ("busy", 1): self = .busy(at: numbers[0])
        case ("key-lost", 1): self = .keyLost(at: numbers[0])
        case ("launched", 4):
            self = .launched(
                LaunchTimes(requested: numbers[0], began: numbers[1], ended: numbers[2], running: numbers[3]))
        case ("failed", _): self = .failed(rest)
        default: return nil
        }
    }
}

extension LaunchTimes {
    fileprivate var stations: [Instant] { [requested, began, ended, running] }
}

extension VMOrder {
    var text: String {
        switch self {
        case .start(let at): "start \(at.sinceBoot.count)"
        }
    }

    init?(text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[0] == "start", let at = Int64(parts[1]) else { return nil }
        self = .start(at: Instant(sinceBoot: Nanoseconds(at)))
    }
}
