import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO

/// Answers probes and platform commands, one at a time and in order.
/// While a command hangs, what else is asked waits in the sockets.
struct DeviceServer: ~Copyable {
    private let listener: UnixListener
    private let commander: Commander
    private let poll: EventPoll
    private let signals: TerminationSignals
    private let allowed: Set<UInt32>
    private var clients: [EventToken: Client] = [:]
    /// Generation 0 is the server's own.
    private var lastGeneration: UInt32 = 0
    private var isStopping = false

    private final class Client {
        let socket: SeqpacketSocket

        init(_ socket: consuming SeqpacketSocket) { self.socket = socket }
    }

    private static let listenerToken = EventToken(slot: 0, generation: 0)
    private static let signalsToken = EventToken(slot: 1, generation: 0)

    init(listener: consuming UnixListener, commander: Commander) throws(SystemError) {
        let signals = try TerminationSignals()
        let poll = try EventPoll(capacity: DeviceLimits.eventsPerWait)
        try poll.add(listener.descriptor.number, for: .readable, token: Self.listenerToken)
        try poll.add(signals.descriptorNumber, for: .readable, token: Self.signalsToken)
        // The service manager gives the socket to the user that the daemon runs as.
        allowed = [0, geteuid(), SocketOwner.uid(of: listener.descriptor.number) ?? 0]
        self.listener = listener
        self.commander = commander
        self.poll = poll
        self.signals = signals
    }

    /// Serves until SIGTERM or SIGINT.
    mutating func run() throws(SystemError) {
        while !isStopping {
            for index in 0..<(try poll.wait()) where !isStopping { try handle(poll.event(index)) }
        }
    }

    private mutating func handle(_ event: EventPoll.Event) throws(SystemError) {
        switch event.token {
        case Self.listenerToken: try accept()
        case Self.signalsToken: isStopping = try signals.haveCome()
        default: try serve(event.token)
        }
    }

    private mutating func accept() throws(SystemError) {
        guard let descriptor = try listener.accept() else { return }
        let uid = try descriptor.peerIdentity().uid
        guard allowed.contains(uid) else {
            return Notice.toPerson("refused a connection of uid \(uid): only uids \(allowed.sorted()) may ask")
        }
        guard clients.count < DeviceLimits.connections else {
            return Notice.toPerson("refused a connection: \(DeviceLimits.connections) are open, as many as may be")
        }
        lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
        let token = EventToken(slot: 2, generation: lastGeneration)
        try poll.add(descriptor.number, for: [.readable, .peerShutdown], token: token)
        clients[token] = Client(SeqpacketSocket(adopting: descriptor))
    }

    private mutating func serve(_ token: EventToken) throws(SystemError) {
        guard let client = clients[token] else { return }
        switch try client.socket.receiveRecord(atMost: WireLimits.deviceMessageBytes) {
        case .nothing: return
        case .hungUp: clients[token] = nil
        case .tooLong: drop(token, "a record is longer than any message")
        case .record(let bytes):
            let request: DeviceRequest
            do { request = try DeviceRequest(decoding: bytes) } catch { return drop(token, "\(error)") }
            guard let reply = try answer(request) else {
                isStopping = true
                return
            }
            try send(reply, to: client, token)
        }
    }

    /// `nil` if a signal came first.
    private func answer(_ request: DeviceRequest) throws(SystemError) -> [UInt8]? {
        switch request {
        case .probe(let probe):
            guard let report = try commander.probe(until: signals) else { return nil }
            tell("probe", report)
            return ProbeReply(tag: probe.tag, report: report).encoded()
        case .platform(let platform):
            guard let report = try commander.perform(platform.order, until: signals) else { return nil }
            tell(platform.order.command.name, report.report)
            return PlatformReply(tag: platform.tag, report: report).encoded()
        }
    }

    private mutating func send(_ reply: [UInt8], to client: Client, _ token: EventToken) throws(SystemError) {
        switch try client.socket.send(reply.span.bytes) {
        case .sent: return
        case .hungUp: clients[token] = nil
        case .wouldBlock: drop(token, "it does not read its replies")
        }
    }

    private func tell(_ what: String, _ report: ProbeReport) {
        let microseconds = report.duration.count / 1_000
        Notice.toManager(
            report.outcome == .answered
                ? "STATUS=Last \(what) answered in \(microseconds) µs" : "STATUS=\(report.text)")
    }

    /// Closing its socket takes it out of the poll.
    private mutating func drop(_ token: EventToken, _ reason: String) {
        Notice.toPerson("closing a connection: \(reason)")
        clients[token] = nil
    }
}

/// Whom a listening socket's file belongs to.
private enum SocketOwner {
    static func uid(of number: Int32) -> UInt32? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        // SAFETY: the kernel writes at most `length` bytes into `address`.
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        guard result == 0 else { return nil }
        // SAFETY: sun_path is an array of bytes; a name that fills it has no NUL, and ends with it.
        let path = withUnsafeBytes(of: &address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var status = stat()
        return !path.isEmpty && stat(path, &status) == 0 ? status.st_uid : nil
    }
}
