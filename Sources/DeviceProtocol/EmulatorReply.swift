import Arbiter
import SPModel

/// What `sp-emulator` says.
public enum EmulatorReply: Equatable, Sendable {
    case result(tag: UInt64, CommandResult)
    /// The control was carried out.
    case done(tag: UInt64)
    case statistics(tag: UInt64, EmulatorStatistics)
    case error(tag: UInt64, EmulatorErrorCode, String)

    enum MessageType: UInt16 {
        case result = 0x8001
        case done = 0x8002
        case statistics = 0x8003
        case error = 0x8004
    }
}

/// What one ioctl came to, as the process that issued it learns it.
public struct CommandResult: Equatable, Sendable {
    /// 0, or what `ioctl` would have set: EIO with a firmware code, ETIMEDOUT, EBUSY.
    public var errno: Int32
    public var firmwareCode: FirmwareCode
    /// The time its commands waited for the SP, summed.
    public var queued: Nanoseconds
    /// The time they had it, summed.
    public var service: Nanoseconds
    /// Pages or vCPUs done.
    public var unitsDone: UInt32
    /// After a successful `platformStatus`.
    public var platform: PlatformStatus?

    public init(
        errno: Int32 = 0, firmwareCode: FirmwareCode = .success, queued: Nanoseconds, service: Nanoseconds,
        unitsDone: UInt32, platform: PlatformStatus? = nil
    ) {
        self.errno = errno
        self.firmwareCode = firmwareCode
        self.queued = queued
        self.service = service
        self.unitsDone = unitsDone
        self.platform = platform
    }
}

/// What a status command tells of the platform.
public struct PlatformStatus: Equatable, Sendable {
    /// The firmware's API version.
    public var major: UInt8
    public var minor: UInt8
    public var guestCount: UInt32

    public init(major: UInt8, minor: UInt8, guestCount: UInt32) {
        self.major = major
        self.minor = minor
        self.guestCount = guestCount
    }
}

/// How the emulator has done so far.
public struct EmulatorStatistics: Equatable, Sendable {
    public var uptime = Nanoseconds.zero
    /// SP time served.
    public var busy = Nanoseconds.zero
    public var firmwareCommands: UInt64 = 0
    public var ioctls: UInt64 = 0
    /// Those of them that ended with an error.
    public var failed: UInt64 = 0
    /// From the end of a command in the model to the moment its result was sent; zero before the first.
    public var latenessMedian = Nanoseconds.zero
    public var lateness99 = Nanoseconds.zero
    public var latenessMax = Nanoseconds.zero
    public var connections: UInt32 = 0
    /// Ioctls that wait or are in service.
    public var outstanding: UInt32 = 0

    public init() {}
}

public enum EmulatorErrorCode: UInt16, Sendable, CaseIterable {
    /// Not a message; the connection is closed.
    case malformed = 1
    /// The connection has a command outstanding already.
    case commandOutstanding = 2
    /// No single ioctl does this.
    case impossibleCommand = 3
    /// Controls are for the emulator's own uid.
    case notAllowed = 4
    /// There are as many connections as may be; this one is closed.
    case tooManyConnections = 5
}

// MARK: - To bytes

extension EmulatorReply {
    public func encoded() -> [UInt8] {
        switch self {
        case .result(let tag, let result):
            var writer = MessageWriter(type: MessageType.result.rawValue, tag: tag)
            result.put(into: &writer)
            return writer.finished()
        case .done(let tag):
            return MessageWriter(type: MessageType.done.rawValue, tag: tag).finished()
        case .statistics(let tag, let statistics):
            var writer = MessageWriter(type: MessageType.statistics.rawValue, tag: tag)
            statistics.put(into: &writer)
            return writer.finished()
        case .error(let tag, let code, let text):
            var writer = MessageWriter(type: MessageType.error.rawValue, tag: tag)
            writer.put(code.rawValue)
            writer.put(UInt16(0))
            writer.putText(text)
            return writer.finished()
        }
    }
}

extension CommandResult {
    /// `i32 errno, u32 firmware code, u64 queued, u64 service, u32 units done, u8 has platform, u8 major, u8 minor, u8
    /// 0, u32 guests, u32 0`.
    fileprivate func put(into writer: inout MessageWriter) {
        writer.put(errno)
        writer.put(firmwareCode.rawValue)
        writer.put(queued)
        writer.put(service)
        writer.put(unitsDone)
        writer.put(UInt8(platform == nil ? 0 : 1))
        writer.put(platform?.major ?? 0)
        writer.put(platform?.minor ?? 0)
        writer.put(UInt8(0))
        writer.put(platform?.guestCount ?? 0)
        writer.put(UInt32(0))
    }

    fileprivate init(from reader: inout MessageReader) throws(WireError) {
        errno = try reader.take()
        firmwareCode = FirmwareCode(rawValue: try reader.take())
        queued = try reader.takeDuration()
        service = try reader.takeDuration()
        unitsDone = try reader.take()
        let hasPlatform: UInt8 = try reader.take()
        let major: UInt8 = try reader.take()
        let minor: UInt8 = try reader.take()
        try reader.takeReserved(1)
        let guests: UInt32 = try reader.take()
        try reader.takeReserved(4)
        platform = hasPlatform == 1 ? PlatformStatus(major: major, minor: minor, guestCount: guests) : nil
    }
}

extension EmulatorStatistics {
    fileprivate func put(into writer: inout MessageWriter) {
        writer.put(uptime)
        writer.put(busy)
        writer.put(firmwareCommands)
        writer.put(ioctls)
        writer.put(failed)
        writer.put(latenessMedian)
        writer.put(lateness99)
        writer.put(latenessMax)
        writer.put(connections)
        writer.put(outstanding)
    }

    fileprivate init(from reader: inout MessageReader) throws(WireError) {
        uptime = try reader.takeDuration()
        busy = try reader.takeDuration()
        firmwareCommands = try reader.take()
        ioctls = try reader.take()
        failed = try reader.take()
        latenessMedian = try reader.takeDuration()
        lateness99 = try reader.takeDuration()
        latenessMax = try reader.takeDuration()
        connections = try reader.take()
        outstanding = try reader.take()
    }
}

// MARK: - From bytes

extension EmulatorReply {
    public init(decoding record: [UInt8]) throws(WireError) {
        var reader = try MessageReader(record)
        switch MessageType(rawValue: reader.type) {
        case .result:
            self = .result(tag: reader.tag, try CommandResult(from: &reader))
        case .done:
            self = .done(tag: reader.tag)
        case .statistics:
            self = .statistics(tag: reader.tag, try EmulatorStatistics(from: &reader))
        case .error:
            let number: UInt16 = try reader.take()
            guard let code = EmulatorErrorCode(rawValue: number) else { throw WireError("\(number) is no error code") }
            try reader.takeReserved(2)
            self = .error(tag: reader.tag, code, try reader.takeText())
        case nil:
            throw WireError("\(reader.type) is no message type of the emulator")
        }
        try reader.finish()
    }
}
