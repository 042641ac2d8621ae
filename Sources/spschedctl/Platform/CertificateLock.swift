import Glibc
import LinuxIO

/// The lock of the certificates that VMMs hand to guests, taken before any command that outdates them.
///
/// The kernel's documentation of `KVM_SEV_SNP_ENABLE_REQ_CERTS` orders it so: a VMM holds the file's lock, an open file
/// description's (F_OFD_SETLK), from reading the certificates until the firmware has signed the report. Whoever changes
/// what reports are signed with takes it exclusively, and before its turn: a VMM waits for a turn with the lock held.
enum CertificateLock {
    /// Waits until no VMM holds it, and says so. Errors: as `open`, and EAGAIN if somebody holds it still.
    static func take(path: String, patienceSeconds: Int32) throws(SystemError) -> FileLock {
        try FileLock.take(path, patienceMilliseconds: patienceSeconds * 1_000) { path in
            StandardError.print(
                "spschedctl: waiting for \(path), at most \(patienceSeconds) s. Locked by: \(LockHolders(path).title)")
        }
    }
}

enum PlatformLimits {
    /// A VMM holds the lock for one report, which takes milliseconds and waits for 20 s at most: longer, and it hangs.
    static let lockPatienceSeconds: Int32 = 30
    /// An operator who waits for longer comes back another day.
    static let lockPatienceSecondsMax: Int32 = 86_400
}

/// The processes that hold a lock of a file, as far as we may see: /proc/locks does not name those of open files.
private struct LockHolders {
    private let names: [String]

    init(_ path: String) {
        let host = HostView(root: "/")
        let pids = host.names(in: "/proc").compactMap { Int($0) }.sorted()
        guard let target = Self.identity(path) else {
            names = []
            return
        }
        names = pids.filter { Self.holds($0, target, host) }
            .map { "\(host.text("/proc/\($0)/comm") ?? "?") (pid \($0))" }
    }

    var title: String { names.isEmpty ? "somebody unknown (lslocks -u names them)" : names.joined(separator: ", ") }

    private static func holds(_ pid: Int, _ file: FileIdentity, _ host: HostView) -> Bool {
        host.names(in: "/proc/\(pid)/fd").contains { descriptor in
            identity("/proc/\(pid)/fd/\(descriptor)") == file
                && (host.text("/proc/\(pid)/fdinfo/\(descriptor)") ?? "").contains("\nlock:")
        }
    }

    private static func identity(_ path: String) -> FileIdentity? {
        var status = stat()
        return stat(path, &status) == 0 ? FileIdentity(device: status.st_dev, inode: status.st_ino) : nil
    }

    private struct FileIdentity: Equatable {
        let device: dev_t
        let inode: ino_t
    }
}
