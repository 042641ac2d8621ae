import Arbiter
import SPModel

/// What a process says to `sp-emulator` over a connection, which stands for one open of the device.
public enum EmulatorRequest: Equatable, Sendable {
    /// Names the connection in the trace. No reply.
    case label(String)
    /// One ioctl, or one guest request. One at a time.
    case command(tag: UInt64, CommandSequence)
    /// Brings about a fault. For the emulator's own uid only.
    case control(tag: UInt64, SecureProcessor.Fault)
    case statistics(tag: UInt64)

    enum MessageType: UInt16 {
        case label = 0x0001
        case command = 0x0002
        case control = 0x0003
        case statistics = 0x0004
    }

    // MARK: To bytes

    public func encoded() -> [UInt8] {
        switch self {
        case .label(let name):
            var writer = MessageWriter(type: MessageType.label.rawValue, tag: 0)
            writer.putName(name, size: WireLimits.labelBytes)
            return writer.finished()
        case .command(let tag, let sequence):
            var writer = MessageWriter(type: MessageType.command.rawValue, tag: tag)
            writer.put(sequence.kind.rawValue)
            writer.put(sequence.pageKind.rawValue)
            writer.put(UInt8(sequence.hasIDBlock ? 1 : 0))
            writer.put(sequence.units)
            return writer.finished()
        case .control(let tag, let fault):
            var writer = MessageWriter(type: MessageType.control.rawValue, tag: tag)
            FaultWire(fault).put(into: &writer)
            return writer.finished()
        case .statistics(let tag):
            return MessageWriter(type: MessageType.statistics.rawValue, tag: tag).finished()
        }
    }

    // MARK: From bytes

    /// Errors: the record is no message of this wire, or a command that no single ioctl is.
    public init(decoding record: [UInt8]) throws(EmulatorRequestError) {
        do {
            var reader = try MessageReader(record)
            self = try Self.decoded(&reader)
        } catch let error as EmulatorRequestError {
            throw error
        } catch {
            throw .malformed(error as? WireError ?? WireError("\(error)"))
        }
    }

    private static func decoded(_ reader: inout MessageReader) throws -> EmulatorRequest {
        switch MessageType(rawValue: reader.type) {
        case .label:
            let name = try reader.takeName(size: WireLimits.labelBytes)
            try reader.finish()
            return .label(name)
        case .command:
            return try command(&reader)
        case .control:
            let fault = try FaultWire(from: &reader).fault()
            try reader.finish()
            return .control(tag: reader.tag, fault)
        case .statistics:
            try reader.finish()
            return .statistics(tag: reader.tag)
        case nil:
            throw WireError("\(reader.type) is no message type of the emulator")
        }
    }

    private static func command(_ reader: inout MessageReader) throws -> EmulatorRequest {
        let kind: UInt16 = try reader.take()
        let pageKind: UInt8 = try reader.take()
        let flags: UInt8 = try reader.take()
        let units: UInt32 = try reader.take()
        try reader.finish()
        guard let kind = CommandKind(rawValue: kind), let pageKind = PageKind(rawValue: pageKind), flags <= 1,
            let sequence = CommandSequence(kind: kind, units: units, pageKind: pageKind, hasIDBlock: flags == 1)
        else {
            throw EmulatorRequestError.impossibleCommand(
                tag: reader.tag, "no single ioctl is kind \(kind) with \(units) units of page kind \(pageKind)")
        }
        return .command(tag: reader.tag, sequence)
    }
}

public enum EmulatorRequestError: Error, Equatable, Sendable {
    /// Not a message: the connection is of no further use.
    case malformed(WireError)
    /// Well formed, but no single ioctl does this.
    case impossibleCommand(tag: UInt64, String)
}
