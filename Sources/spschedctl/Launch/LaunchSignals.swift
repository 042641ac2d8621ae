import Glibc
import LinuxIO

/// Ctrl-C and its kin, as events: what they mean depends on how far the launch is.
final class LaunchSignals {
    private let signals: SignalDescriptor

    /// To be made before any other thread.
    init() throws(SystemError) { signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]) }

    /// Readable once one has come.
    var descriptor: Int32 { signals.descriptor.number }

    /// The signal that has come, if one has.
    func take() -> Int32? { signals.take() }
}

/// Waits for the first of several descriptors.
enum Readable {
    /// The place in `descriptors` of the first that can be read from or was hung up; `nil` if none could within
    /// `milliseconds`, for ever if that is negative.
    static func first(of descriptors: [Int32], milliseconds: Int32) -> Int? {
        var states = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // No handler is installed; a stopped and continued process may still see EINTR, and asks again.
        while poll(&states, nfds_t(states.count), milliseconds) < 0 && errno == EINTR {}
        return states.firstIndex { $0.revents != 0 }
    }
}
