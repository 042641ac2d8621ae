import Arbiter
import Reporting
import Simulation

/// What is read off a record in more than one chapter.
extension HostRecord {
    /// Boot latencies of all launches. One that takes longer than `patience` counts as cut there.
    func boots(within patience: Nanoseconds) -> [Latency] {
        launches.flatMap(\.boots).map { boot in
            let isCut = boot.outcome == .cut || boot.latency > patience
            return Latency(min(boot.latency, patience), isCut: isCut)
        }
    }

    var reportsPerSecond: Double { Double(guests.reduce(0) { $0 + $1.reports }) / length.seconds }
    var refusals: Int { guests.reduce(0) { $0 + $1.refusals } }
    var keysLost: Int { guests.reduce(0) { $0 + $1.keysLost } }

    /// Of the counted time, in hundredths.
    func percent(_ part: Nanoseconds) -> Double { part.seconds * 100 / length.seconds }

    /// Latencies of all guests' reports together.
    var reportLatency: LatencyHistogram {
        guests.reduce(into: LatencyHistogram()) { $0.merge($1.latency) }
    }

    /// Jain's index over the VMs' reports in consecutive windows of so many of the record's own: the mean of all whole
    /// ones, and the least.
    func jain(windows length: Int) -> (mean: Double, least: Double)? {
        guard let counts = guests.first?.windows, counts.windows >= length else { return nil }
        let indices = (0..<counts.windows / length).compactMap { window in
            JainIndex.of(
                guests[0].guests.indices.map { guest in
                    (0..<length).reduce(0) { $0 + counts.reports(of: guest, inWindow: window * length + $1) }
                })
        }
        guard let least = indices.min() else { return nil }
        return (indices.reduce(0, +) / Double(indices.count), least)
    }
}

extension Latency {
    /// Short, for a cell of a table.
    var cell: String {
        if isCut { return "> \(Format.fixed(time.seconds, 0)) s" }
        if time < .seconds(1) { return "\(Format.fixed(time.milliseconds, 1)) ms" }
        return time < .seconds(10) ? "\(Format.fixed(time.seconds, 2)) s" : "\(Format.fixed(time.seconds, 1)) s"
    }

    /// In microseconds, and whether that is a least value.
    var json: JSON { .object([("us", .integer(time.count / 1_000)), ("is_least", .bool(isCut))]) }
}

extension LatencyStatistics {
    /// In microseconds; the names of those that are least values in a list.
    var json: JSON {
        let all = [("p5", p5), ("p50", p50), ("p95", p95), ("p99", p99), ("max", max)]
        return .object(
            all.map { ($0.0, .integer($0.1.time.count / 1_000)) } + [
                ("at_least", .list(all.filter(\.1.isCut).map { .text($0.0) }))
            ])
    }
}

extension Nanoseconds {
    /// Short, for a cell of a table.
    var cell: String { Latency(self).cell }
    var microseconds: JSON { .integer(count / 1_000) }
}
