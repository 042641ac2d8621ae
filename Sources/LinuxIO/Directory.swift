import Glibc

/// What a directory holds.
public enum Directory {
    /// The names in the directory, without `.` and `..`, in no order; at most `count` of them.
    public static func names(in path: String, atMost count: Int) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError(code: errno, attempt: "list", subject: path) }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < count {
            errno = 0
            guard let entry = readdir(directory) else { break }
            // SAFETY: readdir(3) returns an entry whose name ends with a zero byte; it is valid until the next call.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 || names.count == count else {
            throw SystemError(code: errno, attempt: "list", subject: path)
        }
        return names
    }
}
