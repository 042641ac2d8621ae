import CSystemd.Process
import CSystemd.Socket
import Glibc

/// Sole owner of one open file: closes it when it goes.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The kernel's number for it, valid as long as this value lives.
    public let number: Int32

    /// Takes over an open descriptor. Nobody else may close it.
    public init(adopting number: Int32) {
        precondition(number >= 0, "not a descriptor: \(number)")
        self.number = number
    }

    deinit { Glibc.close(number) }

    /// Closes it now. On Linux the descriptor is gone even when an error is reported (close(2)), so none is.
    public consuming func close() {}

    /// Gives the open descriptor up to the caller, who must close it.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Another descriptor for the same open file, close-on-exec.
    public borrowing func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try check(linux_duplicate(number), "duplicate descriptor", "\(number)"))
    }

    /// Ends the connection of this socket for both sides, even while other descriptors of it are open.
    public borrowing func shutDown() { _ = linux_shutdown(number) }

    public borrowing func setNonblocking(_ isNonblocking: Bool) throws(SystemError) {
        _ = try check(
            linux_set_nonblocking(number, isNonblocking ? 1 : 0), "change the mode of descriptor", "\(number)")
    }

    public borrowing func setCloseOnExec() throws(SystemError) {
        _ = try check(linux_set_close_on_exec(number), "change the mode of descriptor", "\(number)")
    }

    public borrowing func kind() throws(SystemError) -> FileKind {
        FileKind(try check(linux_descriptor_kind(number), "look at descriptor", "\(number)"))
    }

    /// Whether `path` names the very file that is open here. False too if it names none.
    public borrowing func isFile(at path: String) -> Bool { linux_is_file_at(number, path) == 1 }
}

/// What a path or descriptor is, as far as the daemon tells them apart.
public enum FileKind: Equatable, Sendable {
    case characterDevice
    case socket
    case regular
    case directory
    case fifo
    case other

    init(_ kind: Int32) {
        self =
            switch UInt32(kind) {
            case LINUX_FILE_CHARACTER_DEVICE.rawValue: .characterDevice
            case LINUX_FILE_SOCKET.rawValue: .socket
            case LINUX_FILE_REGULAR.rawValue: .regular
            case LINUX_FILE_DIRECTORY.rawValue: .directory
            case LINUX_FILE_FIFO.rawValue: .fifo
            default: .other
            }
    }

    /// With its article.
    public var words: String {
        switch self {
        case .characterDevice: "a device"
        case .socket: "a socket"
        case .regular: "a regular file"
        case .directory: "a directory"
        case .fifo: "a pipe"
        case .other: "a block device"
        }
    }

    /// What `path` is, following symbolic links.
    public static func ofPath(_ path: String) throws(SystemError) -> FileKind {
        FileKind(try check(linux_path_kind(path), "look at", path))
    }
}

extension FileDescriptor {
    /// Opens a file or device for reading only, close-on-exec and without blocking.
    public static func openReadOnly(_ path: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try check(linux_open_read_only(path), "open", path))
    }

    /// As `openReadOnly`; `writable`: for writing too.
    public static func open(_ path: String, writable: Bool) throws(SystemError) -> FileDescriptor {
        guard writable else { return try openReadOnly(path) }
        return FileDescriptor(adopting: try check(linux_open_read_write(path), "open", path))
    }

    /// A process, readable once it has ended. Error ESRCH: there is none of that number.
    public static func process(_ pid: Int32) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try check(linux_pidfd_open(pid), "watch process", "\(pid)"))
    }

    /// An unnamed file in memory that may be sealed.
    public static func memory(named name: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try check(linux_memfd_create(name), "create memory file", name))
    }
}

extension FileDescriptor {
    /// What can be read from here to the end, but no more than `count` bytes.
    public borrowing func read(atMost count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            // SAFETY: read(2) writes at most the rest of the array.
            let result = bytes.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress! + filled, count - filled) }
            if result < 0 && errno == EINTR { continue }
            guard result >= 0 else { throw SystemError(code: errno, attempt: "read descriptor", subject: "\(number)") }
            if result == 0 { break }
            filled += result
        }
        return Array(bytes[..<filled])
    }

    /// `count` words of 64 bits, little-endian, from this word of the file on; fewer where the file ends before.
    public borrowing func words(from first: Int, count: Int) throws(SystemError) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: count)
        var filled = 0
        while filled < count * 8 {
            // SAFETY: pread(2) writes at most the rest of the array.
            let result = words.withUnsafeMutableBytes {
                pread(number, $0.baseAddress! + filled, count * 8 - filled, off_t(first * 8 + filled))
            }
            if result < 0 && errno == EINTR { continue }
            guard result >= 0 else { throw SystemError(code: errno, attempt: "read descriptor", subject: "\(number)") }
            if result == 0 { break }
            filled += result
        }
        words.removeLast(count - filled / 8)
        // On a machine of the same order these are the words already.
        return UInt64(littleEndian: 1) == 1 ? words : words.map(UInt64.init(littleEndian:))
    }

    /// How many bytes the file has.
    public borrowing func length() throws(SystemError) -> Int {
        let end = lseek(number, 0, SEEK_END)
        guard end >= 0, lseek(number, 0, SEEK_SET) == 0 else {
            throw SystemError(code: errno, attempt: "seek in descriptor", subject: "\(number)")
        }
        return end
    }

    /// Blocks until something can be read, at most `milliseconds` (for ever if `nil`). Whether something can.
    @discardableResult
    public borrowing func waitReadable(milliseconds: Int32? = nil) -> Bool {
        linux_wait_readable(number, milliseconds ?? -1) > 0
    }
}
