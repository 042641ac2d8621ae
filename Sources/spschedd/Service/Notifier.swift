import CSystemd.Daemon
import LinuxIO

/// Tells the service manager how we are (sd_notify(3)), from a thread of its own: its socket may block.
///
/// What waits to be told is a state, not a queue: a newer status replaces the one that was not sent yet.
final class Notifier: Sendable {
    private struct Due {
        /// The monotonic clock, in microseconds, when a reload began of which the service manager has not heard.
        var reloadingSince: UInt64?
        var isReady = false
        var isStopping = false
        var isAlive = false
        var status: String?
        var isClosed = false

        /// A reload's begin has a message of its own, before its end: both may be due.
        var messages: [[String]] {
            let reloading = reloadingSince.map { ["RELOADING=1", "MONOTONIC_USEC=\($0)"] } ?? []
            return [reloading, lines].filter { !$0.isEmpty }
        }

        private var lines: [String] {
            var lines: [String] = []
            if isReady { lines.append("READY=1") }
            if isStopping { lines.append("STOPPING=1") }
            if let status { lines.append("STATUS=\(status)") }
            if isAlive { lines.append("WATCHDOG=1") }
            return lines
        }
    }

    private let due = Guarded(Due())
    private let wakeUp: WakeUp
    private let finished: WakeUp

    init() throws(SystemError) {
        wakeUp = try WakeUp()
        finished = try WakeUp()
        try DetachedThread.start(named: "notify") { [self] in run() }
    }

    func ready(status: String) {
        change {
            $0.isReady = true
            $0.status = status
        }
    }

    /// A reload has begun; `ready` ends it.
    func reloading() {
        let now = MonotonicClock.microseconds()
        change {
            $0.reloadingSince = now
            // An end that has not been told yet is that of a reload before.
            $0.isReady = false
        }
    }

    func status(_ status: String) { change { $0.status = status } }

    /// The loop has made progress.
    func alive() { change { $0.isAlive = true } }

    func stopping(status: String) {
        change {
            $0.isStopping = true
            $0.status = status
        }
    }

    /// Tells what is left, but waits no longer than `DaemonLimits.logFlush`.
    func close() {
        change { $0.isClosed = true }
        finished.descriptor.waitReadable(milliseconds: Int32(DaemonLimits.logFlush.count / 1_000_000))
    }

    private func change(_ body: (inout Due) -> Void) {
        due.withLock { body(&$0) }
        wakeUp.signal()
    }

    private func run() {
        while true {
            let (messages, isClosed) = due.withLock { due in
                defer { due = Due(isClosed: due.isClosed) }
                return (due.messages, due.isClosed)
            }
            for lines in messages { sd_notify(0, lines.joined(separator: "\n")) }
            if isClosed { break }
            wakeUp.descriptor.waitReadable()
            _ = wakeUp.take()
        }
        finished.signal()
    }
}
