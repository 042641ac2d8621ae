import Arbiter
import CSpschedTesting
import Foundation
import VMMProtocol

/// A daemon that does what its test says, over real record sockets.
final class FakeDaemon: Sendable {
    let directory: String
    let path: String
    private let listener: Int32

    init() throws {
        directory = try makeDirectory()
        path = directory + "/sock"
        listener = testing_listen(path)
        guard listener >= 0 else { throw Failure("cannot listen at \(path): errno \(-listener)") }
    }

    /// Nobody listens any more; whoever connects is refused.
    func stopListening() { shutdown(listener, Int32(SHUT_RDWR)) }

    func accept() throws -> Connection {
        let descriptor = testing_accept(listener, Patience.milliseconds)
        guard descriptor >= 0 else { throw Failure("no client connected") }
        return Connection(descriptor)
    }

    deinit {
        close(listener)
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// How long a test waits for what must come: only a broken test waits so long.
enum Patience {
    static let milliseconds: Int32 = 30_000
    static let seconds = 30.0
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func makeDirectory() throws -> String {
    let path = NSTemporaryDirectory() + "spsched-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    return path
}

/// The daemon's end of one connection.
final class Connection: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The next record, as the daemon's own codec reads it; `nil` after a hang-up.
    func receive() throws -> (tag: UInt64, message: ClientMessage)? {
        var record = [UInt8](repeating: 0, count: 2_048)
        let length = testing_receive(descriptor, &record, record.count, Patience.milliseconds)
        if length == 0 { return nil }
        guard length > 0 else { throw Failure("the client sent nothing") }
        let bytes = record[..<length]
        let header = try Header(decoding: bytes.span)
        return (header.tag, try ClientMessage(decoding: bytes.span, header: header))
    }

    /// The next record, which must be of this type.
    func expect(_ type: MessageType) throws -> (tag: UInt64, message: ClientMessage) {
        guard let next = try receive() else { throw Failure("the client hung up instead of sending \(type)") }
        guard next.message.type == type else { throw Failure("the client sent \(next.message) instead of \(type)") }
        return next
    }

    func send(_ message: DaemonMessage, tag: UInt64 = 0, passing passed: Int32 = -1) throws {
        try send(record: record(of: message, tag: tag), passing: passed)
    }

    func send(record: [UInt8], passing passed: Int32 = -1) throws {
        let result = testing_send(descriptor, record, record.count, passed)
        guard result == 0 else { throw Failure("cannot send to the client: errno \(-result)") }
    }

    // MARK: The usual answers

    func welcome(epoch: UInt64 = 1, features: Features = .all) throws {
        let hello = try expect(.hello)
        try send(.welcome(Welcome(epoch: epoch, features: features)), tag: hello.tag)
    }

    /// Admits whatever is asked, and returns it.
    @discardableResult
    func admit(_ registered: Registered = Registered(), passing passed: Int32 = -1) throws -> Register {
        let (tag, message) = try expect(.register)
        guard case .register(let asked) = message else { throw Failure("unreachable") }
        try send(.registered(registered), tag: tag, passing: passed)
        return asked
    }

    func grant(_ tag: UInt64, turn: UInt64, kind: CommandKind = .report, units: UInt32 = 1) throws {
        let granted = Granted(
            turn: TurnID(number: turn), startWithin: .seconds(3_600), lease: .seconds(3_600), units: units, kind: kind)
        try send(.granted(granted), tag: tag)
    }

    func refuse(_ tag: UInt64, reason: BusyReason = .limit, text: String = "over its limit") throws {
        let busy = BusyReply(retryAfter: .milliseconds(250), reason: Extensible(reason), text: text)
        try send(.busy(busy), tag: tag)
    }
}

func record(of message: DaemonMessage, tag: UInt64) -> [UInt8] {
    var buffer = MessageBuffer()
    buffer.encode(message, tag: tag)
    return buffer.withRecord { record in (0..<record.count).map { record[$0] } }
}

extension Welcome {
    init(epoch: UInt64, features: Features = .all) {
        self.init(features: features, epoch: epoch, chunkPages: 32, deviceState: Extensible(.alive))
    }
}

extension Registered {
    init(
        token: UInt64 = 77, epoch: UInt64 = 1, reservation: Rate = .perSecond(1), burst: Int64 = 3,
        failureMode: FailureMode = .open, carriesDescriptor: Bool = false, isResumed: Bool = false
    ) {
        self.init(
            token: Token(high: token, low: token), epoch: epoch, reservation: reservation, limit: nil,
            weight: Weight(100), burst: burst, guestWaitMax: .seconds(20), guestWaitReserved: .seconds(20),
            entitlement: .perSecond(2), retryPolicy: .linux, failureMode: failureMode,
            carriesDescriptor: carriesDescriptor, isResumed: isResumed)
    }
}
