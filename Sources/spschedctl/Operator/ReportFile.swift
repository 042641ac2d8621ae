import Glibc
import LinuxIO

/// A report that a person asked for, as a file.
enum ReportFile {
    /// Whole or not at all: it is written beside `path` and takes its name when it is complete. What is no regular
    /// file, such as `/dev/stdout`, is written to as it is.
    static func write(_ text: String, to path: String) throws(SystemError) {
        if let kind = try? FileKind.ofPath(path), kind != .regular {
            return try write(text, path, O_WRONLY | O_CLOEXEC)
        }
        let draft = "\(path).\(getpid())"
        do {
            try write(text, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
            try FilePath.rename(draft, to: path)
        } catch {
            unlink(draft)
            // Who reads it knows the file by the name that was asked for.
            throw SystemError(code: error.code, attempt: "write", subject: path)
        }
    }

    private static func write(_ text: String, _ path: String, _ flags: Int32) throws(SystemError) {
        let number = open(path, flags, 0o666)
        guard number >= 0 else { throw SystemError(code: errno, attempt: "write", subject: path) }
        let descriptor = FileDescriptor(adopting: number)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the bytes are only read, during the call.
            let count = rest.withUnsafeBytes { Glibc.write(descriptor.number, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError(code: errno, attempt: "write", subject: path) }
            rest = rest.dropFirst(count)
        }
    }
}
