import Arbiter
import Reporting
import Simulation

/// What a simulated fleet got.
public struct SimulatedFleet: Sendable {
    public struct Group: Sendable {
        public let name: String
        /// VMs that attested throughout; the others of the group were being launched.
        public let guests: Int
        /// Reports a second of each VM: the one that got the least, all on average, the one that got the most.
        public let rates: Rates?
        /// Jain's index of what its VMs got.
        public let fairness: Double?
        /// From the first attempt to the report, sleeps after refusals included.
        public let latency: LatencyHistogram
        /// The longest that one attempt froze its guest.
        public let longestFrozen: Nanoseconds
        public let refusals: Int
        public let keysLost: Int
        /// `nil` if it is not launched.
        public let launches: Launches?
        /// Reports of the whole group in each window.
        public let reportsInWindows: [Int]
    }

    public struct Rates: Equatable, Sendable {
        public let least: Double
        public let mean: Double
        public let most: Double
    }

    public struct Launches: Sendable {
        public let requested: Int
        /// Of VMs that ran, and, as the least they can have been, of those that were cut.
        public let boots: Latencies
        /// The longest from the first command to the last: what P1 and P2 bound. `nil` if none came so far.
        public let longestLaunch: Nanoseconds?
        /// Launches that were not admitted, or failed.
        public let failed: Int
    }

    public let length: Nanoseconds
    public let window: Nanoseconds
    /// In the order of the fleet's groups.
    public let groups: [Group]
    public let unjoined: [Group]
    public let device: DeviceRecord

    /// The part of the time in which the SP was busy.
    public var utilisation: Double { part(device.busy) }
    public func part(_ time: Nanoseconds) -> Double { time.seconds / length.seconds }

    init(_ fleet: Fleet, _ places: [SimulatedGroup], _ record: HostRecord) {
        length = record.length
        device = record.device
        window = record.guests.first?.windows.window ?? .seconds(1)
        groups = zip(fleet.groups, places).map { plan, place in
            Group(
                plan.name, Array(record.guests[place.guests]), place.launches.map { record.launches[$0] },
                length: record.length)
        }
        let first = places.last?.guests.upperBound ?? 0
        unjoined = record.guests[first...].map { Group($0.name, [$0], nil, length: record.length) }
    }
}

extension SimulatedFleet.Group {
    fileprivate init(
        _ name: String, _ parts: [GuestGroupRecord], _ launched: LaunchGroupRecord?, length: Nanoseconds
    ) {
        let members = parts.flatMap(\.guests)
        let reports = members.map(\.reports)
        self.name = name
        guests = members.count
        rates = SimulatedFleet.Rates(reports, length)
        fairness = JainIndex.of(reports)
        latency = parts.reduce(into: LatencyHistogram()) { $0.merge($1.latency) }
        longestFrozen = members.map(\.longestFrozen).max() ?? .zero
        refusals = parts.reduce(0) { $0 + $1.refusals }
        keysLost = parts.reduce(0) { $0 + $1.keysLost }
        launches = launched.map(SimulatedFleet.Launches.init)
        reportsInWindows = Self.windows(of: parts)
    }

    private static func windows(of parts: [GuestGroupRecord]) -> [Int] {
        let count = parts.map(\.windows.windows).max() ?? 0
        return (0..<count).map { window in
            parts.reduce(0) { sum, part in
                part.guests.indices.reduce(sum) { $0 + part.windows.reports(of: $1, inWindow: window) }
            }
        }
    }
}

extension SimulatedFleet.Rates {
    fileprivate init?(_ reports: [Int], _ length: Nanoseconds) {
        guard let least = reports.min(), let most = reports.max() else { return nil }
        self.least = Double(least) / length.seconds
        mean = Double(reports.reduce(0, +)) / length.seconds / Double(reports.count)
        self.most = Double(most) / length.seconds
    }
}

extension SimulatedFleet.Launches {
    fileprivate init(_ record: LaunchGroupRecord) {
        requested = record.requested
        let timed = record.boots.filter { $0.outcome == .running || $0.outcome == .cut }
        boots = Latencies(timed.map { Latency($0.latency, isCut: $0.outcome == .cut) })
        longestLaunch =
            record.boots.compactMap { boot in
                boot.ended.flatMap { ended in boot.began.map { ended - $0 } }
            }.max()
        failed = record.requested - timed.count
    }
}
