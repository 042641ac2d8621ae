import Glibc
import LinuxIO

/// Hears the readiness of a server that was started, as a service manager does: sd_notify(3).
struct NotifySocket: ~Copyable {
    let path: String
    private let listener: UnixListener

    init(path: String) throws(DemoError) {
        self.path = path
        do { listener = try UnixListener(path: path, kind: .datagram) } catch { throw .system(error) }
    }

    /// Waits for `READY=1`. False if it did not come in `milliseconds`, or the process whose end is watched ended
    /// first.
    func waitReady(orEndOf endDescriptor: Int32, milliseconds: Int32) -> Bool {
        var members = [
            pollfd(fd: listener.descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: endDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&members, nfds_t(members.count), milliseconds)
            if count < 0 && errno == EINTR { continue }
            if members[0].revents != 0 {
                if nextMessage().split(separator: "\n").contains("READY=1") { return true }
            } else {
                return false
            }
        }
    }

    private func nextMessage() -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        // SAFETY: the kernel writes at most `buffer.count` bytes.
        let count = recv(listener.descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }
}
