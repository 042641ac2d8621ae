import CSystemd.Socket
import ConfigurationFiles
import Glibc
import LinuxIO

/// The lock of the certificates that VMMs hand to guests, taken before any command that outdates them.
///
/// The kernel's documentation of `KVM_SEV_SNP_ENABLE_REQ_CERTS` orders it so: a VMM holds the file's lock, an open file
/// description's (F_OFD_SETLK), from reading the certificates until the firmware has signed the report. Whoever changes
/// what reports are signed with takes it exclusively, and before its turn: a VMM waits for a turn with the lock held.
struct CertificateLock: ~Copyable {
    let path: String
    private let file: FileDescriptor

    /// VMMs hold it for one report each, which takes milliseconds and waits for seconds at most.
    private static let attempts = 300
    private static let pauseMicroseconds: UInt32 = 100_000

    /// Waits until no VMM holds it, half a minute at most. Errors: as `open`, and EAGAIN if somebody holds it still.
    static func take(path: String) throws(SystemError) -> CertificateLock {
        let file = try FileDescriptor.open(path, writable: true)
        var result = linux_lock_open_file(file.number)
        for _ in 0..<Self.attempts where result == -EAGAIN || result == -EACCES {
            usleep(Self.pauseMicroseconds)
            result = linux_lock_open_file(file.number)
        }
        guard result == 0 else {
            throw SystemError(code: -result, attempt: "lock the certificates in", subject: path)
        }
        return CertificateLock(path: path, file: file)
    }
}
