import CSystemd.Socket
import Glibc
import Synchronization

/// The three descriptors that a program is started with.
public enum StandardStreams {
    /// To be called first in `main`.
    ///
    /// A stream that the program was started without is occupied, lest a file or socket get its number and be written
    /// into. At the end, output that could not be written is told, and ends the program with EX_IOERR; a reader that
    /// went away is no error.
    public static func secure() {
        occupy()
        atexit {
            let flushed = -linux_flush_standard_output()
            let error = StandardOutput.failure.load(ordering: .relaxed)
            StandardStreams.end(error == 0 ? flushed : error)
        }
    }

    /// Opened the wrong way round, so that it fails to be used as it would have.
    private static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where linux_descriptor_flags(descriptor) == -EBADF {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    private static func end(_ error: Int32) {
        guard error != 0, error != EPIPE else { return }
        let program = CommandLine.arguments[0].split(separator: "/").last ?? ""
        StandardError.print("\(program): could not write to standard output: \(SystemError.sentence(for: error))")
        _exit(EX_IOERR)
    }
}

/// What was asked for. Whether all of it could be written is seen at the end, by `StandardStreams.secure`.
public enum StandardOutput {
    /// The first `errno`.
    fileprivate static let failure = Atomic<Int32>(0)

    public static func print(_ text: String, terminator: String = "\n") { write(text + terminator) }

    public static func write(_ text: String) {
        let error = FileDescriptor.write(Array(text.utf8), to: STDOUT_FILENO)
        if failure.load(ordering: .relaxed) == 0 { failure.store(error, ordering: .relaxed) }
    }

    /// False: whoever read it is gone.
    public static var isOpen: Bool {
        var state = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&state, 1, 0) == 0 || state.revents & Int16(POLLERR | POLLHUP) == 0
    }
}

/// Everything else. There is nobody to tell if it cannot be written.
public enum StandardError {
    public static func print(_ text: String) { write(text + "\n") }
    public static func write(_ text: String) { _ = FileDescriptor.write(Array(text.utf8), to: STDERR_FILENO) }
    public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
