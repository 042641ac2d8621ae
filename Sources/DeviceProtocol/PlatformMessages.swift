import Arbiter

/// What the daemon asks of `spschedd-device` beside probes: one platform command.
public struct PlatformRequest: Equatable, Sendable {
    public let tag: UInt64
    public let order: PlatformOrder

    static let messageType: UInt16 = 0x0102

    public init(tag: UInt64, order: PlatformOrder) {
        self.tag = tag
        self.order = order
    }
}

/// What a platform command came to.
public struct PlatformReport: Equatable, Sendable {
    /// Errors of kernel and firmware apart, and the sentence. Its `platform` is not sent: the answer has it.
    public var report: ProbeReport
    public var answer: PlatformAnswer

    public init(_ report: ProbeReport, _ answer: PlatformAnswer = .nothing) {
        self.report = report
        self.answer = answer
    }
}

public struct PlatformReply: Equatable, Sendable {
    public let tag: UInt64
    public let report: PlatformReport

    static let messageType: UInt16 = 0x8102

    public init(tag: UInt64, report: PlatformReport) {
        self.tag = tag
        self.report = report
    }
}

// MARK: - The request in bytes

extension PlatformRequest {
    /// `u32 command, u32 flags, u64 value, u32 length, bytes, u32 length, bytes`. Flags and value: of SNP_SET_CONFIG
    /// bit 0 mask_chip_id, 1 mask_chip_key, and reported_tcb; of SNP_VLEK_LOAD the wrapped version. 0 and empty where a
    /// command takes nothing of the kind.
    public func encoded() -> [UInt8] {
        var (flags, value): (UInt32, UInt64) = (0, 0)
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        switch order {
        case .plain: break
        case .configure(let configuration):
            flags = (configuration.masksChipID ? 1 : 0) | (configuration.masksChipKey ? 2 : 0)
            value = configuration.reportedTCB
        case .loadVLEK(let version, let hashstick): (flags, first) = (UInt32(version), hashstick)
        case .importPlatformKey(let key, let authority): (first, second) = (key, authority)
        }
        var writer = MessageWriter(type: Self.messageType, tag: tag)
        writer.put(order.command.rawValue)
        writer.put(flags)
        writer.put(value)
        writer.putBlob(first)
        writer.putBlob(second)
        return writer.finished()
    }

    /// Errors: no message of this wire, or an order that its command does not take.
    public init(decoding record: [UInt8]) throws(WireError) {
        var reader = try MessageReader(record)
        guard reader.type == Self.messageType else {
            throw WireError("\(reader.type) is no message type of spschedd-device")
        }
        let number: UInt32 = try reader.take()
        guard let command = PlatformCommand(rawValue: number) else {
            throw WireError("\(number) is no command of SEV_ISSUE_CMD")
        }
        let flags: UInt32 = try reader.take()
        let value: UInt64 = try reader.take()
        let first = try reader.takeBlob()
        let second = try reader.takeBlob()
        try reader.finish()
        tag = reader.tag
        order = try Self.order(command, flags, value, first, second)
        // Writing it again must give the same: what a command does not take must not be there.
        guard encoded() == record else { throw WireError("\(command.name) does not take what came with it") }
        if let mistake = order.mistake { throw WireError(mistake) }
    }

    private static func order(
        _ command: PlatformCommand, _ flags: UInt32, _ value: UInt64, _ first: [UInt8], _ second: [UInt8]
    ) throws(WireError) -> PlatformOrder {
        switch command {
        case .configure:
            return .configure(
                PlatformConfiguration(reportedTCB: value, masksChipID: flags & 1 != 0, masksChipKey: flags & 2 != 0))
        case .loadVLEK:
            return .loadVLEK(wrappedVersion: UInt8(truncatingIfNeeded: flags), hashstick: first)
        case .importPlatformKey:
            return .importPlatformKey(key: first, authority: second)
        default:
            return .plain(command)
        }
    }
}

// MARK: - The reply in bytes

extension PlatformReply {
    private enum AnswerKind: UInt8 {
        case nothing = 0
        case status = 1
        case legacyStatus = 2
        case bytes = 3
        case certificates = 4
    }

    /// `u8 outcome, u8 kind of answer, u16 0, i32 errno, u32 firmware code, u64 duration, u32 length, bytes,
    /// u32 length, bytes, u32 text length, text`. A status comes in the kernel's own layout.
    public func encoded() -> [UInt8] {
        let (kind, first, second) = fields
        var writer = MessageWriter(type: Self.messageType, tag: tag)
        writer.put(report.report.outcome.rawValue)
        writer.put(kind.rawValue)
        writer.put(UInt16(0))
        writer.put(report.report.errno)
        writer.put(report.report.firmwareCode.rawValue)
        writer.put(report.report.duration)
        writer.putBlob(first)
        writer.putBlob(second)
        writer.putText(report.report.text)
        return writer.finished()
    }

    private var fields: (AnswerKind, [UInt8], [UInt8]) {
        switch report.answer {
        case .nothing: (.nothing, [], [])
        case .status(let status): (.status, status.encoded, [])
        case .legacyStatus(let status): (.legacyStatus, status.encoded, [])
        case .bytes(let bytes): (.bytes, bytes, [])
        case .certificates(let key, let chain): (.certificates, key, chain)
        }
    }

    public init(decoding record: [UInt8]) throws(WireError) {
        var reader = try MessageReader(record)
        guard reader.type == Self.messageType else {
            throw WireError("\(reader.type) is no message type of spschedd-device")
        }
        let number: UInt8 = try reader.take()
        guard let outcome = ProbeReport.Outcome(rawValue: number) else { throw WireError("\(number) is no outcome") }
        let kindNumber: UInt8 = try reader.take()
        guard let kind = AnswerKind(rawValue: kindNumber) else {
            throw WireError("\(kindNumber) is no kind of answer")
        }
        try reader.takeReserved(2)
        let errno: Int32 = try reader.take()
        let firmwareCode: UInt32 = try reader.take()
        let duration = try reader.takeDuration()
        let first = try reader.takeBlob()
        let second = try reader.takeBlob()
        let text = try reader.takeText()
        try reader.finish()
        tag = reader.tag
        report = PlatformReport(
            ProbeReport(
                outcome: outcome, errno: errno, firmwareCode: FirmwareCode(rawValue: firmwareCode),
                duration: duration, text: text), try Self.answer(kind, first, second))
    }

    private static func answer(
        _ kind: AnswerKind, _ first: [UInt8], _ second: [UInt8]
    ) throws(WireError) -> PlatformAnswer {
        guard second.isEmpty || kind == .certificates, first.isEmpty || kind != .nothing else {
            throw WireError("an answer of kind \(kind.rawValue) has bytes that it does not have")
        }
        switch kind {
        case .nothing: return .nothing
        case .status: return .status(try SNPStatus(decoding: first))
        case .legacyStatus: return .legacyStatus(try LegacyStatus(decoding: first))
        case .bytes: return .bytes(first)
        case .certificates: return .certificates(key: first, chain: second)
        }
    }
}

// MARK: - Either of the two

/// What a client says to `spschedd-device`.
public enum DeviceRequest: Equatable, Sendable {
    case probe(ProbeRequest)
    case platform(PlatformRequest)

    public init(decoding record: [UInt8]) throws(WireError) {
        self =
            try MessageReader(record).type == PlatformRequest.messageType
            ? .platform(PlatformRequest(decoding: record)) : .probe(ProbeRequest(decoding: record))
    }
}

/// What `spschedd-device` says.
public enum DeviceReply: Equatable, Sendable {
    case probe(ProbeReply)
    case platform(PlatformReply)

    public init(decoding record: [UInt8]) throws(WireError) {
        self =
            try MessageReader(record).type == PlatformReply.messageType
            ? .platform(PlatformReply(decoding: record)) : .probe(ProbeReply(decoding: record))
    }

    public var tag: UInt64 {
        switch self {
        case .probe(let reply): reply.tag
        case .platform(let reply): reply.tag
        }
    }
}
