import CSystemd.Daemon
import Glibc

enum Notice {
    /// sd_notify(3); nothing happens without a service manager.
    static func toManager(_ state: String) { sd_notify(0, state) }

    static func toPerson(_ text: String) {
        let bytes = Array("spschedd-device: \(text)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
