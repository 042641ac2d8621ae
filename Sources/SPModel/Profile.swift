import Arbiter

/// What every command of one machine's SP costs, and the pauses between commands on its host.
public struct Profile: Sendable {
    public let name: String
    /// The firmware's API version that a status command reports.
    public let firmwareMajor: UInt8
    public let firmwareMinor: UInt8
    public let gaps: Gaps
    /// Indexed by the raw value of `FirmwareCommand`.
    private let timings: [Timing]
    /// What may be drawn: for each command in turn, a service time for each index of `QuantileTable`.
    private let services: [Int64]

    /// Every command needs its row, or this is a programming error.
    init(
        name: String, firmware: (major: UInt8, minor: UInt8), gaps: Gaps, _ table: [FirmwareCommand: Timing]
    ) {
        self.name = name
        firmwareMajor = firmware.major
        firmwareMinor = firmware.minor
        self.gaps = gaps
        timings = FirmwareCommand.allCases.map { command in
            guard let timing = table[command] else { preconditionFailure("\(name): no timing for \(command)") }
            return timing
        }
        services = timings.flatMap(\.services)
    }

    /// Every profile there is, by name.
    public static let all: [Profile] = [.milan2024]

    public static func named(_ name: String) -> Profile? { all.first { $0.name == name } }

    public func timing(of command: FirmwareCommand) -> Timing { timings[Int(command.rawValue)] }

    /// Draws one service time: lognormal around the median, never below nine tenths of it.
    public func service(of command: FirmwareCommand, using random: inout SplitMix64) -> Nanoseconds {
        let quantile = Int(random.next() >> (64 - QuantileTable.indexBits))
        return Nanoseconds(services[(Int(command.rawValue) << QuantileTable.indexBits) + quantile])
    }
}

extension Timing {
    /// The service times that are drawn, each as likely as the others.
    fileprivate var services: [Int64] {
        spread.quantiles.map { (median.count * Int64(max($0, ServiceFloor.parts))) >> QuantileTable.shift }
    }
}

/// Firmware has a shortest path: a draw below this part of the median is raised to it.
enum ServiceFloor {
    /// Nine tenths, in parts of 1/65536.
    static let parts: Int32 = 58_982
}

/// The pauses of the host and of the guests between commands.
public struct Gaps: Sendable, Equatable {
    /// From the end of one page to the arrival of the next inside one ioctl.
    public let betweenPages: Nanoseconds
    /// From the end of one launch ioctl to the arrival of the next, as a rule.
    public let betweenIoctls: Nanoseconds
    /// The same when the VMM was slow about it.
    public let betweenIoctlsTail: Nanoseconds
    /// One gap between ioctls in this many is of the tail.
    public let tailOneIn: UInt64
    /// What a guest does between a report and its next request in a tight loop.
    public let guestThink: Nanoseconds

    /// Draws the gap before a launch's next ioctl.
    public func nextIoctl(using random: inout SplitMix64) -> Nanoseconds {
        random.next() % tailOneIn == 0 ? betweenIoctlsTail : betweenIoctls
    }
}
