import Glibc

/// Files by their names.
public enum FilePath {
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
