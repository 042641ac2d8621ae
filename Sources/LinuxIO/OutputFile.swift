import CSystemd.Socket
import Glibc

/// A file that a person names for something to be written into.
public enum OutputFile {
    /// Writes the whole text, or says why it cannot.
    ///
    /// What is a regular file, or is not there yet, is replaced whole: nobody sees a half of it, and a full disk leaves
    /// what was there. Who may read the one that was there may read the new one, and nobody else. A FIFO, a device, or
    /// a symbolic link to anything is written into and stays what it is.
    public static func write(_ text: String, to path: String) throws(SystemError) {
        switch linux_link_kind(path) {
        case -ENOENT, Int32(LINUX_FILE_REGULAR.rawValue): try replace(path, with: text)
        default: try writeInto(path, text)
        }
    }

    /// A file without a name takes this one once it is complete: a process that is killed before leaves nothing behind.
    ///
    /// - Parameter mode: its mode, whatever this process's mask is; `nil`: that of the file that is there, or as for
    ///   any new file.
    public static func replace(_ path: String, with text: String, mode: mode_t? = nil) throws(SystemError) {
        let part = "\(directory(of: path)).spschedd-\(getpid()).part"
        var old = stat()
        let replaced = lstat(path, &old) == 0 ? old : nil
        // Nobody else may look into it before it is known who may.
        let first: mode_t = replaced == nil && mode == nil ? 0o666 : 0o600
        let file = try PartialFile(in: directory(of: path), orNamed: part, first, for: path)
        let number = file.descriptor.number
        var error = FileDescriptor.write(Array(text.utf8), to: number)
        // Some file systems tell only now that the disk is full.
        if error == 0, fsync(number) != 0 { error = errno }
        if error == 0 { error = admit(to: number, mode, like: replaced) }
        // Another has the name still: through a name of our own.
        if error == 0, !file.hasName,
            linkat(AT_FDCWD, "\(PartialFile.names)/\(number)", AT_FDCWD, part, AT_SYMLINK_FOLLOW) != 0
        {
            error = errno
        }
        if error == 0, rename(part, path) != 0 { error = errno }
        guard error != 0 else { return }
        unlink(part)
        throw failure(error, path)
    }

    /// Whose it is, and who may read it. An `errno`, or 0.
    private static func admit(to file: Int32, _ mode: mode_t?, like old: stat?) -> Int32 {
        if let mode { return fchmod(file, mode) == 0 ? 0 : errno }
        guard let old else { return 0 }
        // Only root may give a file away. Whoever else replaces one owns the new one.
        if old.st_uid != geteuid() || old.st_gid != getegid() { _ = fchown(file, old.st_uid, old.st_gid) }
        return fchmod(file, old.st_mode & 0o777) == 0 ? 0 : errno
    }

    private static func writeInto(_ path: String, _ text: String) throws(SystemError) {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw failure(errno, path) }
        let file = FileDescriptor(adopting: number)
        let error = FileDescriptor.write(Array(text.utf8), to: file.number)
        guard error == 0 else { throw failure(error, path) }
    }

    /// With the slash at its end; empty for the current one.
    private static func directory(of path: String) -> Substring {
        path.lastIndex(of: "/").map { path[...$0] } ?? ""
    }

    fileprivate static func failure(_ code: Int32, _ path: String) -> SystemError {
        SystemError(code: code, attempt: "write", subject: path)
    }
}

/// A file that is not complete: without a name where the file system knows such (open(2), `O_TMPFILE`).
private struct PartialFile: ~Copyable {
    let descriptor: FileDescriptor
    let hasName: Bool

    /// By which a file without a name can be given one.
    static let names = "/proc/self/fd"

    init(in directory: Substring, orNamed name: String, _ mode: mode_t, for path: String) throws(SystemError) {
        var number: Int32 = -1
        if access(Self.names, F_OK) == 0 {
            number = linux_open_unnamed(directory.isEmpty ? "." : String(directory), mode)
        }
        hasName = number < 0
        if hasName { number = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode) }
        guard number >= 0 else { throw OutputFile.failure(errno, path) }
        descriptor = FileDescriptor(adopting: number)
    }
}

extension FileDescriptor {
    /// Writes all of it, without a buffer. An `errno`, or 0.
    static func write(_ bytes: [UInt8], to number: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the bytes are only read, during the call.
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return errno }
            rest = rest.dropFirst(max(count, 0))
        }
        return 0
    }
}
