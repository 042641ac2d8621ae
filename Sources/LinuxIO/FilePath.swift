import Glibc

/// Files by their names.
public enum FilePath {
    /// The path without symbolic links; `nil` if there is nothing of that name.
    public static func resolved(_ path: String) -> String? {
        // SAFETY: realpath(3) with a null buffer returns its own, ended by a zero byte, or null; it is freed here.
        unsafe realpath(path, nil).map { buffer in
            defer { unsafe free(buffer) }
            return unsafe String(cString: buffer)
        }
    }

    /// Whether there is something of that name, also a symbolic link that leads nowhere.
    public static func isTaken(_ path: String) throws(SystemError) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else {
            throw SystemError(code: errno, attempt: "look at", subject: path)
        }
        return false
    }

    /// Gives a file another name; one that has that name is replaced.
    public static func rename(_ path: String, to other: String) throws(SystemError) {
        guard Glibc.rename(path, other) == 0 else {
            throw SystemError(code: errno, attempt: "rename to \(other)", subject: path)
        }
    }
}

extension SystemError {
    /// Whether there is nothing of that name.
    public var isAbsence: Bool { code == ENOENT }
}
