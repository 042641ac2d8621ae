import CSystemd.Daemon
import Glibc
import LinuxIO

/// The listening socket that the service manager made: sd_listen_fds(3).
enum InheritedSocket {
    /// `nil` if none was passed. Errors: more than one, or one of another kind.
    static func take() throws(SystemError) -> UnixListener? {
        let count = sd_listen_fds(1)
        guard count != 0 else { return nil }
        guard count > 0 else { throw SystemError(code: -count, attempt: "learn which sockets were passed") }
        guard count == 1 else {
            throw SystemError(code: EINVAL, attempt: "use \(count) sockets; pass one", subject: "LISTEN_FDS")
        }
        let descriptor = FileDescriptor(adopting: SD_LISTEN_FDS_START)
        try descriptor.setNonblocking(true)
        return try UnixListener(adopting: descriptor, kind: .seqpacket)
    }
}
