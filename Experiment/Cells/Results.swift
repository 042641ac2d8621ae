import Arbiter
import Reporting
import Simulation

/// What became of each cell, by name.
struct Results: Sendable {
    private var records: [String: HostRecord] = [:]

    var count: Int { records.count }

    mutating func add(_ record: HostRecord, of cell: Cell) { records[cell.name] = record }

    /// A chapter only asks for its own cells: a missing one is a programming error.
    subscript(cell: Cell) -> HostRecord {
        guard let record = records[cell.name] else { preconditionFailure("\(cell.name) was not played") }
        return record
    }

    subscript(cells: [Cell]) -> Pool { Pool(records: cells.map { self[$0] }) }
}

/// What became of cells that differ in their seeds alone.
struct Pool: Sendable {
    let records: [HostRecord]

    func boots(within patience: Nanoseconds) -> Latencies {
        Latencies(records.flatMap { $0.boots(within: patience) })
    }

    /// Of the counted time, in hundredths.
    func percent(_ part: KeyPath<DeviceRecord, Nanoseconds>) -> Double {
        let whole = records.reduce(Nanoseconds.zero) { $0 + $1.length }
        return sum(part).seconds * 100 / whole.seconds
    }

    func sum(_ part: KeyPath<DeviceRecord, Nanoseconds>) -> Nanoseconds {
        records.reduce(.zero) { $0 + $1.device[keyPath: part] }
    }

    /// On average: the cells of a pool are equally long.
    var reportsPerSecond: Double { records.reduce(0) { $0 + $1.reportsPerSecond } / Double(max(records.count, 1)) }

    var keysLost: Int { records.reduce(0) { $0 + $1.keysLost } }

    /// Where the SP's time went, in hundredths of the counted time.
    var deviceJSON: [(key: String, value: JSON)] {
        let parts: [(String, KeyPath<DeviceRecord, Nanoseconds>)] = [
            ("busy_percent", \.busy), ("launches_percent", \.launchService), ("guests_percent", \.guestService),
            ("idle_in_holds_percent", \.idleInHolds),
        ]
        return parts.map { ($0.0, .fixed(percent($0.1), decimals: 2)) } + [
            ("idle_while_eligible_ns", .integer(sum(\.idleWhileEligible).count)),
            ("reports_per_s", .fixed(reportsPerSecond, decimals: 2)), ("keys_lost", .integer(Int64(keysLost))),
        ]
    }
}
