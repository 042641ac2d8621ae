import CSystemd.Socket

/// One end of a `SOCK_STREAM` connection on a Unix socket.
public struct StreamSocket: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    /// Takes over a connected socket.
    public init(adopting descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Connects to the listener at `path`. Errors are those of `SeqpacketSocket.connect`.
    public static func connect(to path: String, isNonblocking: Bool = false) throws(SystemError) -> StreamSocket {
        let kind = UnixSocketKind.stream.number
        let descriptor = FileDescriptor(
            adopting: try check(linux_unix_socket(kind, isNonblocking ? 1 : 0), "create a socket"))
        _ = try check(linux_unix_connect(descriptor.number, path), "connect to", path)
        return StreamSocket(adopting: descriptor)
    }

    public enum Transfer: Equatable, Sendable {
        /// So many bytes went over, at least one.
        case bytes(Int)
        case wouldBlock
        /// The peer is gone: end of stream, or the connection was reset.
        case hungUp
    }

    /// Sends as many of the bytes as fit now. Blocks only if the socket is blocking.
    public borrowing func send(_ bytes: RawSpan) throws(SystemError) -> Transfer {
        // SAFETY: the bytes are only read, during the call.
        let result = bytes.withUnsafeBytes { linux_send(descriptor.number, $0.baseAddress, $0.count) }
        switch result {
        case Int(-EPIPE): return .hungUp
        default: return try Self.outcome(of: result, "send on a socket")
        }
    }

    public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Transfer {
        try send(bytes.span.bytes)
    }

    /// Receives what is there, at most as much as fits. Passed descriptors are dropped by the kernel.
    public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Transfer {
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        let result = linux_receive(descriptor.number, buffer.baseAddress, buffer.count, 1)
        return result == 0 ? .hungUp : try Self.outcome(of: result, "receive on a socket")
    }

    /// Receives what is there into the array, at most as much as it holds.
    public borrowing func receive(into buffer: inout [UInt8]) throws(SystemError) -> Transfer {
        // The pointer overload is generic over no error: a typed throw does not pass through the closure otherwise.
        var outcome: Result<Transfer, SystemError> = .success(.wouldBlock)
        // SAFETY: the pointer does not leave the closure.
        buffer.withUnsafeMutableBytes { bytes in
            do throws(SystemError) {
                outcome = .success(try receive(into: bytes))
            } catch {
                outcome = .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Waits until something can be received. False: nothing came within `milliseconds`.
    public borrowing func waitReadable(milliseconds: Int32) throws(SystemError) -> Bool {
        try check(linux_wait_readable(descriptor.number, milliseconds), "wait for a socket") > 0
    }

    private static func outcome(of result: Int, _ attempt: String) throws(SystemError) -> Transfer {
        switch result {
        case 0...: return .bytes(result)
        case Int(-EAGAIN): return .wouldBlock
        case Int(-ECONNRESET), Int(-ENOTCONN): return .hungUp
        default: throw SystemError(code: Int32(-result), attempt: attempt)
        }
    }
}
