import CSystemd.Daemon
import Glibc
import LinuxIO

/// What the process says of itself: to whoever started it, and to a service manager.
enum Announcement {
    static func ready(socket: String) {
        line("ready: \(socket)", to: STDOUT_FILENO)
        sd_notify(0, "READY=1\nSTATUS=Serving \(socket)")
    }

    static func summary(_ text: String) { line(text, to: STDOUT_FILENO) }

    static func note(_ text: String) { line("sp-emulator: \(text)", to: STDERR_FILENO) }

    static func failure(_ error: SystemError) { note("\(error)") }

    /// Unbuffered: a reader waits for these lines. Nobody may be reading any more, which is no error.
    private static func line(_ text: String, to descriptor: Int32) {
        let bytes = Array((text + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
