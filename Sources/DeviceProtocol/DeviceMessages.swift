import Arbiter

/// What the daemon asks of `spschedd-device`: one status command, to learn whether the device answers.
public struct ProbeRequest: Equatable, Sendable {
    public let tag: UInt64

    static let messageType: UInt16 = 0x0101

    public init(tag: UInt64) { self.tag = tag }

    public func encoded() -> [UInt8] { MessageWriter(type: Self.messageType, tag: tag).finished() }

    public init(decoding record: [UInt8]) throws(WireError) {
        let reader = try MessageReader(record)
        guard reader.type == Self.messageType else {
            throw WireError("\(reader.type) is no message type of spschedd-device")
        }
        try reader.finish()
        tag = reader.tag
    }
}

/// What a probe came to. Sent when the command came back, which may be never.
public struct ProbeReply: Equatable, Sendable {
    public let tag: UInt64
    public let report: ProbeReport

    static let messageType: UInt16 = 0x8101

    public init(tag: UInt64, report: ProbeReport) {
        self.tag = tag
        self.report = report
    }
}

public struct ProbeReport: Equatable, Sendable {
    public enum Outcome: UInt8, Sendable, CaseIterable {
        /// The firmware answered.
        case answered = 0
        /// ETIMEDOUT or EBUSY: the ccp driver gave the device up. Only loading it again, or a reboot, helps.
        case dead = 1
        /// Another errno.
        case failed = 2
        /// The firmware answered with an error: the device itself is alive.
        case firmwareRefused = 3
        /// No command was issued: there is no device, it cannot be opened, or SNP is off. `text` says which and what to
        /// do.
        case notAttempted = 4
        /// EPERM or EACCES: this process may not open the device as the command needs it, or not issue the command.
        case notPermitted = 5
        /// The path opens, but what it names is no SEV device: it does not know SEV_ISSUE_CMD.
        case notSEVDevice = 6
        /// ENODEV or ENXIO: the node is there, and no driver behind it any more.
        case vanished = 7
        /// The command succeeded, and gave what it cannot give.
        case unexpectedAnswer = 8
    }

    public var outcome: Outcome
    /// 0, or the kernel's error, apart from the firmware's.
    public var errno: Int32
    public var firmwareCode: FirmwareCode
    /// From before the command to after it.
    public var duration: Nanoseconds
    /// If the firmware answered without error.
    public var platform: PlatformStatus?
    /// What happened, where and what to do; empty if all is well.
    public var text: String

    public init(
        outcome: Outcome, errno: Int32 = 0, firmwareCode: FirmwareCode = .success, duration: Nanoseconds = .zero,
        platform: PlatformStatus? = nil, text: String = ""
    ) {
        self.outcome = outcome
        self.errno = errno
        self.firmwareCode = firmwareCode
        self.duration = duration
        self.platform = platform
        self.text = text
    }
}

extension ProbeReply {
    /// `u8 outcome, u8 has platform, u8 major, u8 minor, i32 errno, u32 firmware code, u32 guests, u64 duration,
    /// u32 text length, text`.
    public func encoded() -> [UInt8] {
        var writer = MessageWriter(type: Self.messageType, tag: tag)
        writer.put(report.outcome.rawValue)
        writer.put(UInt8(report.platform == nil ? 0 : 1))
        writer.put(report.platform?.major ?? 0)
        writer.put(report.platform?.minor ?? 0)
        writer.put(report.errno)
        writer.put(report.firmwareCode.rawValue)
        writer.put(report.platform?.guestCount ?? 0)
        writer.put(report.duration)
        writer.putText(report.text)
        return writer.finished()
    }

    public init(decoding record: [UInt8]) throws(WireError) {
        var reader = try MessageReader(record)
        guard reader.type == Self.messageType else {
            throw WireError("\(reader.type) is no message type of spschedd-device")
        }
        let number: UInt8 = try reader.take()
        guard let outcome = ProbeReport.Outcome(rawValue: number) else { throw WireError("\(number) is no outcome") }
        let hasPlatform: UInt8 = try reader.take()
        let major: UInt8 = try reader.take()
        let minor: UInt8 = try reader.take()
        let errno: Int32 = try reader.take()
        let firmwareCode: UInt32 = try reader.take()
        let guests: UInt32 = try reader.take()
        let duration = try reader.takeDuration()
        let text = try reader.takeText()
        try reader.finish()
        tag = reader.tag
        report = ProbeReport(
            outcome: outcome, errno: errno, firmwareCode: FirmwareCode(rawValue: firmwareCode), duration: duration,
            platform: hasPlatform == 1 ? PlatformStatus(major: major, minor: minor, guestCount: guests) : nil,
            text: text)
    }
}
