import CSystemd.Socket
import Glibc

public enum UnixSocketKind: Sendable {
    case stream
    case datagram
    case seqpacket

    var number: Int32 {
        switch self {
        case .stream: Int32(LINUX_SOCKET_STREAM.rawValue)
        case .datagram: Int32(LINUX_SOCKET_DATAGRAM.rawValue)
        case .seqpacket: Int32(LINUX_SOCKET_SEQPACKET.rawValue)
        }
    }
}

/// A listening Unix socket. It leaves its path alone when it goes: another process may have taken it over.
public struct UnixListener: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    /// Whether the descriptor is a socket that listens.
    public static func listens(_ number: Int32) -> Bool { linux_socket_listens(number) == 1 }

    /// Takes over a listening socket, for example one that the service manager made. Errors if it is no socket or of
    /// another kind.
    public init(adopting descriptor: consuming FileDescriptor, kind: UnixSocketKind) throws(SystemError) {
        let number = descriptor.number
        let found = try check(linux_socket_type(number), "look at inherited descriptor", "\(number)")
        guard found == kind.number else {
            throw SystemError(code: EPROTOTYPE, attempt: "use inherited socket", subject: "\(number)")
        }
        self.descriptor = descriptor
    }

    /// Binds `path` and listens there, nonblocking.
    ///
    /// A socket file that nobody listens on any more is replaced. Error `EADDRINUSE`: somebody does, or something else
    /// is there.
    ///
    /// - Parameter backlog: connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`. All
    ///   VMs of a host come together after a restart, and a nonblocking `connect` fails when there is no room.
    public init(path: String, kind: UnixSocketKind = .seqpacket, backlog: Int32 = 4_096) throws(SystemError) {
        let descriptor = FileDescriptor(adopting: try check(linux_unix_socket(kind.number, 1), "create a socket"))
        // Held to the end: two processes that start at once must not each remove the other's fresh socket.
        let lock = try Self.lockDirectory(of: path)
        var result = linux_unix_bind(descriptor.number, path)
        if result == -EADDRINUSE {
            try Self.removeAbandoned(path, kind)
            result = linux_unix_bind(descriptor.number, path)
        }
        _ = try check(result, "bind", path)
        if kind != .datagram {
            _ = try check(linux_listen(descriptor.number, backlog), "listen on", path)
        }
        self.descriptor = descriptor
        lock.close()
    }

    private static func lockDirectory(of path: String) throws(SystemError) -> FileDescriptor {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = try FileDescriptor.openReadOnly(directory)
        _ = try check(linux_lock(descriptor.number), "lock directory", directory)
        return descriptor
    }

    /// Removes the socket file of a process that is gone; `EADDRINUSE` if it is not gone or is not a socket.
    private static func removeAbandoned(_ path: String, _ kind: UnixSocketKind) throws(SystemError) {
        let inUse = SystemError(code: EADDRINUSE, attempt: "bind", subject: path)
        guard try FileKind.ofPath(path) == .socket else { throw inUse }
        let caller = FileDescriptor(adopting: try check(linux_unix_socket(kind.number, 1), "create a socket"))
        guard linux_unix_connect(caller.number, path) == -ECONNREFUSED else { throw inUse }
        _ = try check(unlink(path) == 0 ? 0 : -errno, "remove", path)
    }

    /// The next connection, or `nil` when none waits. A connection that was given up meanwhile is skipped.
    public borrowing func accept(isNonblocking: Bool = true) throws(SystemError) -> FileDescriptor? {
        while true {
            let result = linux_accept(descriptor.number, isNonblocking ? 1 : 0)
            switch result {
            case -EAGAIN: return nil
            case -EINTR, -ECONNABORTED: continue
            default: return FileDescriptor(adopting: try check(result, "accept a connection"))
            }
        }
    }
}
