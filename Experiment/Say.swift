import Glibc

/// What was asked for goes to standard output, everything else to standard error, at once.
enum Say {
    static func result(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    static func progress(_ text: String) { write("experiment: \(text)\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the bytes are only read, during the call.
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
