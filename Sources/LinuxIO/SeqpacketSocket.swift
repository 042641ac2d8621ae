import CSystemd.Socket

/// One end of a `SOCK_SEQPACKET` connection on a Unix socket: a record is a message, with at most one descriptor.
public struct SeqpacketSocket: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    /// Takes over a connected socket.
    public init(adopting descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Connects to the listener at `path`. Errors: `ENOENT` no socket there, `ECONNREFUSED` nobody listens, `EACCES`
    /// not allowed, `EAGAIN` its backlog is full and `isNonblocking` is set, `ENAMETOOLONG` beyond 107 bytes.
    public static func connect(to path: String, isNonblocking: Bool = false) throws(SystemError) -> SeqpacketSocket {
        let descriptor = FileDescriptor(
            adopting: try check(linux_unix_socket(seqpacket, isNonblocking ? 1 : 0), "create a socket"))
        _ = try check(linux_unix_connect(descriptor.number, path), "connect to", path)
        return SeqpacketSocket(adopting: descriptor)
    }

    /// Two connected ends.
    public static func pair(isNonblocking: Bool = false) throws(SystemError) -> SocketPair {
        var numbers: (Int32, Int32) = (-1, -1)
        // SAFETY: a pair of Int32 has the layout of int[2].
        let result = withUnsafeMutablePointer(to: &numbers) { pair in
            pair.withMemoryRebound(to: Int32.self, capacity: 2) {
                linux_unix_pair(seqpacket, isNonblocking ? 1 : 0, $0)
            }
        }
        _ = try check(result, "create a socket pair")
        return SocketPair(
            first: SeqpacketSocket(adopting: FileDescriptor(adopting: numbers.0)),
            second: SeqpacketSocket(adopting: FileDescriptor(adopting: numbers.1)))
    }

    /// Ends the connection for both sides, even while other descriptors of it are open.
    public borrowing func shutDown() { _ = linux_shutdown(descriptor.number) }

    static let seqpacket = Int32(LINUX_SOCKET_SEQPACKET.rawValue)
}

public struct SocketPair: ~Copyable {
    public var first: SeqpacketSocket
    public var second: SeqpacketSocket
}

// MARK: - Messages

/// What one receive brought.
public enum Received: Equatable, Sendable {
    /// A record of `count` bytes. `isTruncated`: it was longer than the buffer and its rest is lost.
    case message(count: Int, isTruncated: Bool)
    /// Nothing there now.
    case wouldBlock
    /// The peer is gone: end of stream, or the connection was reset.
    case hungUp
}

public enum Sent: Equatable, Sendable {
    case sent
    /// The peer's queue is full.
    case wouldBlock
    /// The peer is gone.
    case hungUp
}

extension SeqpacketSocket {
    /// Sends one record. Blocks only if the socket is blocking.
    public borrowing func send(_ bytes: RawSpan) throws(SystemError) -> Sent {
        try Self.send(bytes, passing: -1, over: descriptor.number)
    }

    /// Sends one record and a duplicate of `passed` with it. Error `ETOOMANYREFS`: as many as this process may open are
    /// on their way to peers that have not received them.
    public borrowing func send(_ bytes: RawSpan, passing passed: borrowing FileDescriptor) throws(SystemError) -> Sent {
        try Self.send(bytes, passing: passed.number, over: descriptor.number)
    }

    private static func send(_ bytes: RawSpan, passing passed: Int32, over number: Int32) throws(SystemError) -> Sent {
        // SAFETY: the bytes are only read, during the call.
        let result = bytes.withUnsafeBytes { linux_send(number, $0.baseAddress, $0.count, passed, 0) }
        switch result {
        case 0...: return .sent
        case Int(-EAGAIN): return .wouldBlock
        case Int(-EPIPE), Int(-ECONNRESET), Int(-ENOTCONN): return .hungUp
        default: throw SystemError(code: Int32(-result), attempt: "send on a socket")
        }
    }

    /// Whether the peer has received all that was sent to it.
    public borrowing func isReadOut() -> Bool { linux_unread_by_peer(descriptor.number) == 0 }

    /// Receives one record. Descriptors that come with it are dropped by the kernel, never entered in our table.
    public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Received {
        var flags: Int32 = 0
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        let result = linux_receive(descriptor.number, buffer.baseAddress, buffer.count, nil, &flags, 0)
        return try outcome(of: result, flags)
    }

    /// Receives one record and the first descriptor that came with it; further ones are closed.
    public borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer, descriptor passed: inout FileDescriptor?
    ) throws(SystemError) -> Received {
        var flags: Int32 = 0
        var number: Int32 = -1
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        let result = linux_receive(descriptor.number, buffer.baseAddress, buffer.count, &number, &flags, 0)
        passed = number >= 0 ? FileDescriptor(adopting: number) : nil
        return try outcome(of: result, flags)
    }

    private borrowing func outcome(of result: Int, _ flags: Int32) throws(SystemError) -> Received {
        switch result {
        case 1...:
            return .message(count: result, isTruncated: UInt32(flags) & LINUX_TRUNCATED.rawValue != 0)
        case 0:
            // An empty record and the end look alike to recvmsg(2).
            return linux_has_hung_up(descriptor.number) == 0 ? .message(count: 0, isTruncated: false) : .hungUp
        case Int(-EAGAIN): return .wouldBlock
        case Int(-ECONNRESET), Int(-ENOTCONN): return .hungUp
        default: throw SystemError(code: Int32(-result), attempt: "receive on a socket")
        }
    }
}
