import CSystemd.Socket
import Glibc

/// A file that a person names for something to be written into.
public enum OutputFile {
    /// Writes the whole text, or says why it cannot.
    ///
    /// What is a regular file, or is not there yet, is replaced whole: nobody sees a half of it, and a full disk leaves
    /// what was there. A FIFO, a device, or a symbolic link to anything is written into and stays what it is.
    public static func write(_ text: String, to path: String) throws(SystemError) {
        switch linux_link_kind(path) {
        case -ENOENT, Int32(LINUX_FILE_REGULAR.rawValue): try replace(path, text)
        default: try writeInto(path, text)
        }
    }

    /// A file beside it takes its name once it is complete.
    private static func replace(_ path: String, _ text: String) throws(SystemError) {
        let part = "\(directory(of: path)).spschedd-\(getpid()).part"
        let number = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw failure(errno, path) }
        let file = FileDescriptor(adopting: number)
        var error = FileDescriptor.write(Array(text.utf8), to: file.number)
        // Some file systems tell only now that the disk is full.
        if error == 0, fsync(file.number) != 0 { error = errno }
        if error == 0, rename(part, path) != 0 { error = errno }
        guard error != 0 else { return }
        unlink(part)
        throw failure(error, path)
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

    private static func failure(_ code: Int32, _ path: String) -> SystemError {
        SystemError(code: code, attempt: "write", subject: path)
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
