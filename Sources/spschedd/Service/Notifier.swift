import CSystemd.Daemon
import LinuxIO

/// Tells the service manager how we are (sd_notify(3)), from a thread of its own: its socket may block.
///
/// What waits to be told is a state, not a queue: a newer status replaces the one that was not sent yet.
final class Notifier: Sendable {
    private struct Due {
        var isReady = false
        var isStopping = false
        var isAlive = false
        var status: String?
        var isClosed = false

        var lines: [String] {
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
            let (lines, isClosed) = due.withLock { due in
                defer { due = Due(isClosed: due.isClosed) }
                return (due.lines, due.isClosed)
            }
            if !lines.isEmpty { sd_notify(0, lines.joined(separator: "\n")) }
            if isClosed { break }
            wakeUp.descriptor.waitReadable()
            _ = wakeUp.take()
        }
        finished.signal()
    }
}
