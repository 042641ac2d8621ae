import Arbiter
import ConfigurationFiles
import DeviceTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

@testable import spschedd

/// A daemon that is ended between two turns of its loop, and the next one with what the service manager would have kept
/// of it. Its loop is run by hand, and its clock stands still until it is moved.
final class RestartedDaemon {
    let hand = DaemonClock.Hand(at: Instant(sinceBoot: .seconds(1_000)))
    private var running: Daemon?
    private let directory: TemporaryDirectory
    private var configuration = DaemonConfiguration()

    init() throws {
        directory = try TemporaryDirectory()
        configuration.device.path = directory.file("device")
        configuration.device.probeSocket = nil
        configuration.vmm.path = directory.file("vmm")
        configuration.manager.path = directory.file("manager")
        configuration.clients.vmsMax = 8
        configuration.clients.connectionsMax = 16
        symlink("/dev/null", configuration.device.path)
        running = try Self.start(configuration, hand, StoredDescriptors())
    }

    var daemon: Daemon {
        guard let running else { preconditionFailure("between two daemons") }
        return running
    }

    private static func start(
        _ configuration: DaemonConfiguration, _ hand: DaemonClock.Hand, _ stored: StoredDescriptors
    ) throws -> Daemon {
        // Not `ListeningSockets.open`: it lends the whole process another umask for a moment, and with it the programs
        // that tests beside this one compile.
        let listeners = ListeningSockets(
            vmm: try UnixListener(path: configuration.vmm.path),
            manager: try UnixListener(path: configuration.manager.path, kind: .stream))
        let daemon = try Daemon(
            configuration: configuration, listeners: listeners,
            logger: try Logger(output: .nowhere), notifier: try Notifier(isHeard: true), clock: .manual(hand),
            stored: stored)
        daemon.begin()
        return daemon
    }

    /// Turns of the loop until it has nothing more to do.
    func turn() throws {
        for _ in 0..<1_000 {
            if daemon.background.isMuted {
                hand.now = max(
                    hand.now, min(daemon.background.resumesAt, daemon.lastAsked + DaemonLimits.quietAfter))
            }
            if try !daemon.turn(nil, mayWait: false), !daemon.background.isMuted { return }
        }
        Issue.record("the loop always has something to do")
    }

    /// What has come is read now, and what is due by then is done then.
    func pass(_ time: Nanoseconds) throws {
        try turn()
        hand.now = hand.now + time
        try turn()
    }

    /// The daemon is gone without a word, and the next one is there, `gap` later.
    ///
    /// - Parameters:
    ///   - forgetting: connections that the service manager had not got yet.
    ///   - change: what the operator changed in the configuration.
    func restart(
        after gap: Nanoseconds = .milliseconds(300), forgetting lost: [RestartClient] = [],
        _ change: (inout DaemonConfiguration) -> Void = { _ in }
    ) throws {
        var stored = StoredDescriptors()
        var numbers: [(Int32, String)] = []
        if let keeper = daemon.keeper {
            numbers.append(
                (try keeper.memory.descriptor.duplicate().release(), StoredDescriptors.name(ofState: keeper.serial)))
        }
        daemon.connections.forEach { connection in
            guard connection.isStored, !lost.contains(where: { $0.token == connection.token }) else { return }
            guard let copy = try? connection.socket.descriptor.duplicate() else { return }
            numbers.append((copy.release(), connection.token.storedName))
        }
        for (number, name) in numbers {
            let isOurs = stored.take(number, named: name)
            #expect(isOurs)
        }
        change(&configuration)
        hand.now = hand.now + gap
        running = nil
        running = try Self.start(configuration, hand, stored)
        try turn()
    }

    func connect() throws -> RestartClient {
        let pair = try SeqpacketSocket.pair(isNonblocking: true)
        let token = try #require(daemon.connections.nextToken)
        let other = try pair.first.descriptor.duplicate()
        daemon.admit(other, from: try pair.first.descriptor.peerIdentity())
        return RestartClient(token: token, socket: SeqpacketSocket(adopting: try pair.second.descriptor.duplicate()))
    }

    /// A client with a registered VM.
    func enter(_ name: String) throws -> RestartClient {
        let client = try connect()
        client.send(.hello(Hello(name: Name64("scene")!)), tag: 1)
        client.send(.register(Register(uuid: UUIDBytes(high: 0, low: 1), name: Name64(name)!)), tag: 2)
        // Newcomers are served in the background.
        for _ in 0..<4 { try pass(.milliseconds(200)) }
        guard case .registered(let registered)? = client.reply(to: 2) else {
            throw ProcessError("\(name) was not registered")
        }
        client.registered = registered
        return client
    }
}

/// A client at its end of a socket.
final class RestartClient {
    let token: EventToken
    var registered: Registered?
    private let socket: SeqpacketSocket
    private var outgoing = MessageBuffer()
    private var heard: [(tag: UInt64, message: DaemonMessage)] = []
    private(set) var hasEnded = false

    init(token: EventToken, socket: consuming SeqpacketSocket) {
        self.token = token
        self.socket = socket
    }

    func send(_ message: ClientMessage, tag: UInt64 = 0) {
        outgoing.encode(message, tag: tag)
        let sent = outgoing.withRecord { record in try? socket.send(record.bytes) }
        #expect(sent == .sent)
    }

    func hangUp() { socket.shutDown() }

    /// Everything that has come and was not taken yet, in its order.
    func hear() -> [(tag: UInt64, message: DaemonMessage)] {
        var bytes = [UInt8](repeating: 0, count: ProtocolLimits.messageBytes)
        while !hasEnded {
            // SAFETY: the buffer is the array's own, for the time of the call.
            let received = bytes.withUnsafeMutableBytes { try? socket.receive(into: $0) }
            guard case .message(let count, false)? = received else {
                hasEnded = received == .hungUp
                break
            }
            let record = bytes[..<count]
            guard let header = try? Header(decoding: record.span),
                let message = try? DaemonMessage(decoding: record.span, header: header)
            else { break }
            heard.append((header.tag, message))
        }
        return heard
    }

    /// The terminal reply to a tag, taken; `nil` if there is none.
    func reply(to tag: UInt64) -> DaemonMessage? {
        let index = hear().firstIndex { heard in
            if case .queued = heard.message { return false }
            return heard.tag == tag
        }
        return index.map { heard.remove(at: $0).message }
    }

    /// The turn that was granted to a tag.
    func grant(to tag: UInt64) throws -> Granted {
        guard case .granted(let grant)? = reply(to: tag) else { throw ProcessError("\(tag) was not granted") }
        return grant
    }

    /// The epoch of a RESYNC that has come, taken.
    func resync() -> UInt64? {
        for (index, heard) in hear().enumerated() {
            guard case .resync(let epoch) = heard.message else { continue }
            self.heard.remove(at: index)
            return epoch
        }
        return nil
    }

    /// Answers the RESYNC that has come.
    func resynchronise(held: TurnID? = nil, session: SessionID? = nil, tags: [UInt64] = []) throws {
        let epoch = try #require(resync(), "no RESYNC came")
        send(.resyncState(ResyncState(epoch: epoch, heldTurn: held, session: session, tags: tags)))
    }
}
