import CSEV
import FoundationEssentials
import Glibc
import LinuxIO

/// What of a host the doctor looks at: its files, beneath a root, and one question to KVM.
struct HostView {
    /// Empty: this host.
    var root = ""
    /// Whether KVM stops a vCPU for the certificates of an extended report.
    var requestCertificates: RequestCertificates

    enum RequestCertificates: Equatable {
        case exists
        case doesNotExist
        /// Why it cannot be told.
        case unknown(String)
    }

    /// This host, or a copy of another one's files.
    init(root: String) {
        self.root = root
        requestCertificates = root.isEmpty ? Self.askKVM() : .unknown("KVM is not asked about files beneath \(root)")
    }

    init(root: String, requestCertificates: RequestCertificates) {
        self.root = root
        self.requestCertificates = requestCertificates
    }

    /// No file that is looked at is longer, but /proc/cpuinfo, of which the first CPU is enough.
    private static let bytesMax = 64 * 1024

    /// Its first 64 KiB without the line's end; `nil` if it cannot be read.
    func text(_ path: String) -> String? {
        guard let file = try? FileDescriptor.openReadOnly(root + path),
            let bytes = try? file.read(atMost: Self.bytesMax)
        else { return nil }
        let end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + path) }

    func names(in directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: root + directory)) ?? []
    }

    func target(ofLink path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: root + path)
    }

    /// Mode, owner and group; `nil` if it is not there.
    func permissions(_ path: String) -> (mode: UInt16, owner: UInt32, group: UInt32)? {
        var status = stat()
        guard stat(root + path, &status) == 0 else { return nil }
        return (UInt16(truncatingIfNeeded: status.st_mode), status.st_uid, status.st_gid)
    }

    private static func askKVM() -> RequestCertificates {
        do {
            let kvm = try FileDescriptor.open("/dev/kvm", writable: true)
            switch csev_kvm_has_request_certificates(kvm.number) {
            case 0: return .exists
            case -ENXIO, -EINVAL, -ENOTTY, -EPERM: return .doesNotExist
            case let error: return .unknown("KVM answered \(SystemError.sentence(for: -error))")
            }
        } catch {
            return .unknown("\(error)")
        }
    }
}
