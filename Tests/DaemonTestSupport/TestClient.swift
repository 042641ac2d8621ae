import Arbiter
import Foundation
import LinuxIO
import VMMProtocol

public struct TestFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A VMM's connection as a test drives it: message by message, right or wrong. Blocking, with a generous patience.
public final class TestClient {
    public struct Reply: Equatable {
        public let tag: UInt64
        public let message: DaemonMessage
    }

    /// No daemon takes this long, however loaded the machine is.
    public static let patience: Int32 = 60_000

    private let socket: SeqpacketSocket
    private var outgoing = MessageBuffer()
    private var lastTag: UInt64 = 0
    /// The descriptor that came last, until it is taken.
    private var descriptor: FileDescriptor?
    /// Turns and sessions of the daemon, not answers to anything.
    public private(set) var unsolicited: [DaemonMessage] = []

    public init(path: String) throws {
        socket = try SeqpacketSocket.connect(to: path)
    }

    // MARK: Sending

    /// Sends a message under the next tag, or the one given. Returns that tag.
    @discardableResult
    public func send(_ message: ClientMessage, tag: UInt64? = nil) throws -> UInt64 {
        let tag = tag ?? nextTag()
        outgoing.encode(message, tag: tag)
        let outcome = try outgoing.withRecord { (record) throws(SystemError) in try socket.send(record.bytes) }
        guard outcome == .sent else { throw TestFailure("the daemon is gone: \(outcome)") }
        return tag
    }

    /// Sends bytes as they are. False: the daemon has hung up.
    @discardableResult
    public func send(bytes: [UInt8]) throws -> Bool { try socket.send(bytes.span.bytes) == .sent }

    public func nextTag() -> UInt64 {
        lastTag += 1
        return lastTag
    }

    public func hangUp() { socket.shutDown() }

    // MARK: Receiving

    /// The next message; `nil` when the daemon has hung up.
    public func receive() throws -> Reply? {
        guard socket.descriptor.waitReadable(milliseconds: Self.patience) else { throw TestFailure("no answer came") }
        var bytes = [UInt8](repeating: 0, count: ProtocolLimits.messageBytes)
        var passed: FileDescriptor?
        // SAFETY: the buffer is the array's own, for the time of the call.
        let received = try bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try socket.receive(into: buffer, descriptor: &passed) }
        }.get()
        if passed != nil { descriptor = consume passed }
        guard case .message(let count, false) = received else { return nil }
        let record = bytes[..<count]
        let header = try Header(decoding: record.span)
        return Reply(tag: header.tag, message: try DaemonMessage(decoding: record.span, header: header))
    }

    /// The terminal reply to a tag. What is unsolicited is kept in `unsolicited`.
    public func reply(to tag: UInt64) throws -> DaemonMessage {
        while let reply = try receive() {
            if case .queued = reply.message { continue }
            if reply.tag == tag { return reply.message }
            guard reply.tag == 0 else { throw TestFailure("a reply to another tag: \(reply)") }
            unsolicited.append(reply.message)
        }
        throw TestFailure("the daemon hung up instead of answering \(tag)")
    }

    /// Sends and waits for the terminal reply.
    public func ask(_ message: ClientMessage) throws -> DaemonMessage { try reply(to: try send(message)) }

    /// Reads on until the daemon hangs up, and returns what it said before.
    public func untilHangUp() throws -> [DaemonMessage] {
        var messages: [DaemonMessage] = []
        while let reply = try receive() { messages.append(reply.message) }
        return messages
    }

    public func takeDescriptor() -> FileDescriptor? { descriptor.take() }

    // MARK: What a VM does

    @discardableResult
    public func hello() throws -> Welcome {
        let reply = try ask(.hello(Hello(name: Name64("test client")!)))
        guard case .welcome(let welcome) = reply else { throw TestFailure("no WELCOME: \(reply)") }
        return welcome
    }

    public static func register(
        _ name: String = "vm", _ registration: Registration = Registration(), token: Token = .none,
        wantsDescriptor: Bool = false
    ) -> ClientMessage {
        .register(
            Register(
                uuid: UUIDBytes(high: 1, low: 2), name: Name64(name)!, token: token, registration: registration,
                wantsDescriptor: wantsDescriptor))
    }

    /// HELLO and REGISTER.
    @discardableResult
    public func enter(
        _ name: String = "vm", _ registration: Registration = Registration(), token: Token = .none,
        wantsDescriptor: Bool = false
    ) throws -> Registered {
        try hello()
        let reply = try ask(Self.register(name, registration, token: token, wantsDescriptor: wantsDescriptor))
        guard case .registered(let registered) = reply else { throw TestFailure("not registered: \(reply)") }
        return registered
    }

    /// Waits for one turn, whatever it takes.
    public func acquire(_ kind: CommandKind, units: UInt32 = 1) throws -> Granted {
        let reply = try ask(.acquire(Acquire(kind, units: units)))
        guard case .granted(let granted) = reply else { throw TestFailure("no turn: \(reply)") }
        return granted
    }

    /// Returns a turn, without asking for a reply.
    public func release(_ turn: TurnID, errno: Int32 = 0) throws {
        try send(.release(Release(turn, errno: errno)), tag: 0)
    }

    public func beginLaunch(pages: UInt32, isProxy: Bool = false) throws -> SessionID {
        let reply = try ask(.launchBegin(LaunchPlan(pages: pages, isProxy: isProxy)))
        guard case .launchBegun(let session, _) = reply else { throw TestFailure("no session: \(reply)") }
        return session
    }

    /// A whole launch of `pages`, as a VMM that splits it.
    public func launch(pages: UInt32) throws {
        let session = try beginLaunch(pages: pages)
        try release(acquire(.launchStart).turn)
        var left = pages
        while left > 0 {
            let granted = try acquire(.launchUpdate, units: left)
            try send(.release(Release(granted.turn, unitsDone: granted.units)), tag: 0)
            left -= min(granted.units, left)
        }
        try release(acquire(.launchFinish).turn)
        let ended = try ask(.launchEnd(session, .running))
        guard ended == .done else { throw TestFailure("the session did not end: \(ended)") }
    }
}
