import CSystemd.Process
import Glibc

/// A child process that cannot outlive its owner: it is killed and reaped when this value goes, and the kernel kills it
/// when the thread that started it ends, however that ends.
public struct ChildProcess: ~Copyable, Sendable {
    public let pid: Int32
    /// A descriptor that is readable once the process has ended. Closed with this value.
    public let endDescriptor: Int32

    public enum Ending: Equatable, Sendable {
        case exited(code: Int32)
        case killed(signal: Int32)
    }

    /// Starts a program in a process group of its own.
    ///
    /// - Parameters:
    ///   - path: of the executable; no search.
    ///   - arguments: without the program's own name.
    ///   - descriptors: what becomes its descriptors 0, 1, 2 and 3; `nil`: as they are here, and none for 3.
    public static func spawn(
        _ path: String, _ arguments: [String], environment: [String] = currentEnvironment(),
        descriptors: [Int32?] = []
    ) throws(SystemError) -> ChildProcess {
        precondition(descriptors.count <= Int(LINUX_CHILD_DESCRIPTORS))
        let given = (0..<Int(LINUX_CHILD_DESCRIPTORS)).map { $0 < descriptors.count ? descriptors[$0] ?? -1 : -1 }
        // SAFETY: both arrays of C strings end with NULL and live until the child has left this address space.
        let pid = CStrings.with([path] + arguments) { arguments in
            CStrings.with(environment) { linux_spawn(path, arguments, $0, given) }
        }
        let started = try check(pid, "start", path)
        let end = linux_pidfd_open(started)
        guard end >= 0 else {
            var code: Int32 = 0
            kill(started, SIGKILL)
            _ = linux_reap(started, &code)
            throw SystemError(code: -end, attempt: "watch process", subject: path)
        }
        return ChildProcess(pid: started, endDescriptor: end)
    }

    private init(pid: Int32, endDescriptor: Int32) {
        self.pid = pid
        self.endDescriptor = endDescriptor
    }

    deinit {
        kill(pid, SIGKILL)
        var code: Int32 = 0
        _ = linux_reap(pid, &code)
        close(endDescriptor)
    }

    /// Sends a signal. The process is unreaped as long as this value lives, so its number is not another's.
    public borrowing func send(signal: Int32) { _ = kill(pid, signal) }

    /// Waits at most `milliseconds` for the end (for ever if `nil`) and reaps it; `nil` and a killed process if it did
    /// not come.
    public consuming func wait(milliseconds: Int32? = nil) -> Ending? {
        var state = pollfd(fd: endDescriptor, events: Int16(POLLIN), revents: 0)
        while poll(&state, 1, milliseconds ?? -1) < 0 && errno == EINTR {}
        guard state.revents != 0 else { return nil }
        return reap()
    }

    private consuming func reap() -> Ending {
        var code: Int32 = 0
        let isSignal = linux_reap(pid, &code)
        close(endDescriptor)
        discard self
        return isSignal == 1 ? .killed(signal: code) : .exited(code: code)
    }

    public static func currentEnvironment() -> [String] {
        var variables: [String] = []
        // SAFETY: `environ` is an array of C strings that ends with NULL; nothing here changes the environment.
        var next = environ
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        return variables
    }
}

/// Signals of this process, delivered as events instead, as long as this value lives.
public struct SignalDescriptor: ~Copyable, Sendable {
    public let descriptor: FileDescriptor
    private let signals: [Int32]

    /// Takes the signals over for the whole process. To be called before other threads start. Children get them as
    /// usual.
    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = FileDescriptor(
            adopting: try check(linux_signals_take_over(signals, Int32(signals.count)), "take over signals"))
        self.signals = signals
    }

    deinit { linux_signals_give_back(signals, Int32(signals.count)) }

    /// The next signal, or `nil` when none waits.
    public borrowing func take() -> Int32? {
        let signal = linux_signal_take(descriptor.number)
        return signal > 0 ? signal : nil
    }
}

enum CStrings {
    /// Calls `body` with a NULL-terminated array of C strings, valid during the call.
    static func with<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        copies.append(nil)
        // SAFETY: each was made by strdup above.
        defer { copies.forEach { free($0) } }
        return body(copies)
    }
}
