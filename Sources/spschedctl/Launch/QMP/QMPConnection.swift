import Arbiter
import Glibc
import LinuxIO
import ManagerProtocol

/// A connection to a QMP monitor, whose peer is taken for nothing: what is read is bounded in size and in time, and a
/// signal ends every wait.
struct QMPConnection: ~Copyable {
    private let path: String
    private let socket: StreamSocket
    private let signals: LaunchSignals
    private var input = QMPScanner()
    private var lastID: Int64 = 0
    /// Of QEMU, as far as the socket's listener is QEMU; `nil` if that process is gone already.
    private let peer: FileDescriptor?
    /// When the VM began to run: the event RESUME. QEMU sends it before the launch commands.
    private(set) var resumed: QMPEvent?

    init(path: String, signals: LaunchSignals) throws(MonitorFault) {
        self.path = path
        self.signals = signals
        do {
            socket = try StreamSocket.connect(to: path, isNonblocking: true)
            peer = try? FileDescriptor.process(try socket.descriptor.peerIdentity().pid)
        } catch {
            throw .unreachable(error)
        }
    }

    var descriptor: Int32 { socket.descriptor.number }

    /// Waits for the greeting and leaves the mode in which capabilities are negotiated.
    mutating func begin(patience: Nanoseconds) throws(MonitorFault) {
        let deadline = BootClock.now() + patience
        let first: QMPMessage
        do {
            first = try next(awaited: "its greeting", deadline: deadline, patience)
        } catch .silent {
            throw .noGreeting(path: path, after: patience)
        }
        guard first == .greeting else { throw .garbage("it began with something else than a greeting") }
        _ = try execute("qmp_capabilities", patience: patience)
    }

    /// Executes a command without arguments and waits for its result. Events that come before it are noted.
    mutating func execute(_ command: String, patience: Nanoseconds) throws(MonitorFault) -> JSONValue {
        try send(command)
        return try result(of: command, patience: patience)
    }

    mutating func send(_ command: String) throws(MonitorFault) {
        lastID += 1
        var rest = Array("{\"execute\": \"\(command)\", \"id\": \(lastID)}\r\n".utf8)[...]
        while !rest.isEmpty {
            let sent: StreamSocket.Transfer
            do { sent = try socket.send(rest) } catch { throw .connection(error) }
            switch sent {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .hungUp: throw .closed(awaited: "it was told '\(command)'")
            // A few dozen bytes: who has not read those commands before them reads none.
            case .wouldBlock: throw .silent(awaited: "reading '\(command)'", after: .zero)
            }
        }
    }

    /// The result of the command that was sent last.
    mutating func result(of command: String, patience: Nanoseconds) throws(MonitorFault) -> JSONValue {
        let deadline = BootClock.now() + patience
        while true {
            switch try next(awaited: "answering '\(command)'", deadline: deadline, patience) {
            case .event(let event): note(event)
            case .result(.integer(lastID)?, let value): return value
            case .failure(.integer(lastID)?, let text): throw .refused(command: command, text: text)
            // An error in what we sent has no id; we send none.
            case .failure(nil, let text): throw .refused(command: command, text: text)
            case .result, .failure: throw .unasked("no command with that 'id' is due")
            case .greeting: throw .unasked("a second greeting")
            }
        }
    }

    /// Takes note of the events that have come, without waiting.
    mutating func readEvents() throws(MonitorFault) {
        _ = try receive(awaited: "the VM's turn")
        while let bytes = try input.next() {
            guard case .event(let event) = try QMPMessage(bytes) else { throw .unasked("it was asked nothing") }
            note(event)
        }
    }

    /// Whether the process that listened for us ends within a moment.
    borrowing func peerEnds() -> Bool {
        switch peer {
        case .some(let peer): peer.waitReadable(milliseconds: LaunchLimits.exitMilliseconds)
        case .none: false
        }
    }

    private mutating func note(_ event: QMPEvent) {
        if event.name == "RESUME", resumed == nil { resumed = event }
    }
}

// MARK: - Reading

extension QMPConnection {
    /// The next message, at the latest at `deadline`.
    private mutating func next(
        awaited: String, deadline: Instant, _ patience: Nanoseconds
    ) throws(MonitorFault) -> QMPMessage {
        while true {
            if let bytes = try input.next() { return try QMPMessage(bytes) }
            // Looked at after each message too: a peer that never stops talking does not stop us.
            let left = deadline - BootClock.now()
            guard left > .zero, try waitReadable(left) else {
                throw .silent(awaited: awaited, after: patience)
            }
            _ = try receive(awaited: awaited)
        }
    }

    /// False: nothing came within that time.
    private func waitReadable(_ time: Nanoseconds) throws(MonitorFault) -> Bool {
        let ready = Readable.first(of: [signals.descriptor, descriptor], milliseconds: time.pollMilliseconds)
        if ready == 0, let signal = signals.take() { throw .interrupted(signal: signal) }
        return ready != nil
    }

    /// Takes what is there. False: nothing.
    private mutating func receive(awaited: String) throws(MonitorFault) -> Bool {
        var buffer = [UInt8](repeating: 0, count: min(4_096, input.room))
        let received: StreamSocket.Transfer
        do { received = try socket.receive(into: &buffer) } catch { throw .connection(error) }
        switch received {
        case .bytes(let count): input.append(buffer[..<count])
        case .wouldBlock: return false
        case .hungUp: throw .closed(awaited: awaited)
        }
        return true
    }
}

extension Nanoseconds {
    /// Rounded up.
    var pollMilliseconds: Int32 { Int32(clamping: count / 1_000_000 + (count % 1_000_000 > 0 ? 1 : 0)) }
}
