import Glibc

/// Unbuffered writing. A reader that is gone is no error of ours.
enum StandardOutput {
    static func print(_ text: String) { write(text + "\n") }
    static func write(_ text: String) { StreamWriter.write(text, to: STDOUT_FILENO) }

    /// False: whoever read it is gone.
    static var isOpen: Bool {
        var state = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&state, 1, 0) == 0 || state.revents & Int16(POLLERR | POLLHUP) == 0
    }
}

enum StandardError {
    static func print(_ text: String) { StreamWriter.write(text + "\n", to: STDERR_FILENO) }
    static func write(_ text: String) { StreamWriter.write(text, to: STDERR_FILENO) }
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

private enum StreamWriter {
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the bytes are only read, during the call.
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
