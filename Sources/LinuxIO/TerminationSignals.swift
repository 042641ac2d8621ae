import CSystemd.Event
import Glibc

/// SIGTERM and SIGINT as a descriptor, readable once one of them has come.
///
/// Make it before any other thread starts: it blocks both signals in the calling thread, and new threads inherit that.
public struct TerminationSignals: ~Copyable {
    private let loop: OpaquePointer
    /// To watch it in an `EventPoll`.
    public let descriptorNumber: Int32

    public init() throws(SystemError) {
        try Self.block()
        loop = try Self.makeLoop()
        descriptorNumber = sd_event_get_fd(loop)
    }

    private static func block() throws(SystemError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in watched { sigaddset(&signals, signal) }
        _ = try check(-pthread_sigmask(SIG_BLOCK, &signals, nil), "block signals")
    }

    /// Watches the signals. Without a handler of our own each source asks the loop to exit, which is all we want to
    /// know.
    private static func makeLoop() throws(SystemError) -> OpaquePointer {
        var created: OpaquePointer?
        _ = try check(sd_event_new(&created), "create an event loop for signals")
        guard let created else { throw SystemError(code: ENOMEM, attempt: "create an event loop for signals") }
        for signal in watched {
            let result = sd_event_add_signal(created, nil, signal, nil, nil)
            if result < 0 { sd_event_unref(created) }
            _ = try check(result, "watch signal", "\(signal)")
        }
        return created
    }

    deinit { sd_event_unref(loop) }

    /// Whether one has come. Call it when the descriptor is readable.
    public borrowing func haveCome() throws(SystemError) -> Bool {
        var code: Int32 = 0
        if sd_event_get_exit_code(loop, &code) >= 0 { return true }
        _ = try check(sd_event_run(loop, 0), "read a signal")
        return sd_event_get_exit_code(loop, &code) >= 0
    }

    private static let watched = [SIGTERM, SIGINT]
}
