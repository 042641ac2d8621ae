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
        // SAFETY: the bytes are only read, during the call.
        try outcome(ofSending: bytes.withUnsafeBytes { linux_send(descriptor.number, $0.baseAddress, $0.count) })
    }

    /// Sends one record and a duplicate of `passed` with it. Error `ETOOMANYREFS`: as many as this process may open are
    /// on their way to peers that have not received them.
    public borrowing func send(_ bytes: RawSpan, passing passed: borrowing FileDescriptor) throws(SystemError) -> Sent {
        let (number, passed) = (descriptor.number, passed.number)
        // SAFETY: the bytes are only read, during the call.
        return try outcome(
            ofSending: bytes.withUnsafeBytes { linux_send_passing(number, $0.baseAddress, $0.count, passed) })
    }

    private borrowing func outcome(ofSending result: Int) throws(SystemError) -> Sent {
        switch result {
        case 0...: return .sent
        case Int(-EAGAIN): return .wouldBlock
        case Int(-EPIPE), Int(-ECONNRESET), Int(-ENOTCONN): return .hungUp
        default: throw SystemError(code: Int32(-result), attempt: "send on a socket")
        }
    }

    /// Whether a record waits to be received.
    public borrowing func hasMore() -> Bool { linux_unread(descriptor.number) > 0 }

    /// Whether the peer has received all that was sent to it.
    public borrowing func isReadOut() -> Bool { linux_unread_by_peer(descriptor.number) == 0 }

    /// Receives one record. Descriptors that come with it are dropped by the kernel, never entered in our table.
    public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Received {
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        try outcome(
            ofReceiving: linux_receive(descriptor.number, buffer.baseAddress, buffer.count, 0), into: buffer.count)
    }

    /// Receives one record and the first descriptor that came with it; further ones are closed.
    public borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer, descriptor passed: inout FileDescriptor?
    ) throws(SystemError) -> Received {
        var number: Int32 = -1
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        let result = linux_receive_passed(descriptor.number, buffer.baseAddress, buffer.count, &number)
        passed = number >= 0 ? FileDescriptor(adopting: number) : nil
        return try outcome(ofReceiving: result, into: buffer.count)
    }

    private borrowing func outcome(ofReceiving result: Int, into capacity: Int) throws(SystemError) -> Received {
        switch result {
        case 1...:
            return .message(count: min(result, capacity), isTruncated: result > capacity)
        case 0:
            // An empty record and the end look alike to recv(2).
            return linux_has_hung_up(descriptor.number) == 0 ? .message(count: 0, isTruncated: false) : .hungUp
        case Int(-EAGAIN): return .wouldBlock
        case Int(-ECONNRESET), Int(-ENOTCONN): return .hungUp
        default: throw SystemError(code: Int32(-result), attempt: "receive on a socket")
        }
    }
}
