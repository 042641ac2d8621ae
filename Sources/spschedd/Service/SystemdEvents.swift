import CSystemd.Daemon
import CSystemd.Event
import Glibc
import LinuxIO

/// sd-event(3) as one member of the daemon's own epoll: it brings the signals and the watchdog's timer.
///
/// Clients are not its sources: it makes a system call per event where epoll makes one per batch.
final class SystemdEvents {
    enum Occurrence {
        case signal(Int32)
        /// Half of the watchdog's time has passed.
        case watchdog
    }

    static let signals = [SIGTERM, SIGINT, SIGHUP]

    private let loop: OpaquePointer
    private let handler: (Occurrence) -> Void
    /// Half of the time after which the service manager takes silence for death; `nil`: it does not watch.
    private let watchdogPeriod: UInt64?

    /// Call before any other thread is made: sd-event takes signals only if every thread blocks them.
    static func blockSignals() {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A vanished terminal must not end the daemon.
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
    }

    init(handler: @escaping (Occurrence) -> Void) throws(SystemError) {
        var loop: OpaquePointer?
        try Self.check(sd_event_new(&loop), "create an sd-event loop")
        self.loop = loop!
        self.handler = handler
        var period: UInt64 = 0
        watchdogPeriod = sd_watchdog_enabled(0, &period) > 0 ? max(period / 2, 1) : nil
        try addSignals()
        try addWatchdog()
        arm()
    }

    deinit { sd_event_unref(loop) }

    /// Becomes readable when something has occurred.
    var descriptor: Int32 { sd_event_get_fd(loop) }

    /// Hands over what has occurred. Call when `descriptor` is readable.
    func dispatch() {
        if sd_event_wait(loop, 0) > 0 { sd_event_dispatch(loop) }
        arm()
    }

    private func arm() { while sd_event_prepare(loop) > 0 { sd_event_dispatch(loop) } }

    private func addSignals() throws(SystemError) {
        for signal in Self.signals {
            let result = sd_event_add_signal(
                loop, nil, signal,
                { _, information, context in
                    SystemdEvents.from(context).handler(.signal(Int32(information!.pointee.ssi_signo)))
                    return 0
                }, context)
            try Self.check(result, "wait for signal \(signal)")
        }
    }

    private func addWatchdog() throws(SystemError) {
        guard watchdogPeriod != nil else { return }
        let result = sd_event_add_time(
            loop, nil, CLOCK_MONOTONIC, 0, 1,
            { source, _, context in
                let events = SystemdEvents.from(context)
                events.handler(.watchdog)
                sd_event_source_set_time_relative(source, events.watchdogPeriod ?? 0)
                return sd_event_source_set_enabled(source, Int32(SD_EVENT_ONESHOT))
            }, context)
        try Self.check(result, "set the watchdog's timer")
    }

    /// SAFETY: the callbacks run inside `dispatch` and `arm`, so `self` is alive; the loop and its sources end with it.
    private var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    private static func from(_ context: UnsafeMutableRawPointer?) -> SystemdEvents {
        Unmanaged<SystemdEvents>.fromOpaque(context!).takeUnretainedValue()
    }

    private static func check(_ result: Int32, _ attempt: String) throws(SystemError) {
        if result < 0 { throw SystemError(code: -result, attempt: attempt) }
    }
}
