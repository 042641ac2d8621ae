import Arbiter
import CSystemd.Daemon
import Glibc
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
        /// In the order in which they were given: a name is used again.
        var orders: [StoreOrder] = []

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

    /// Whether there is a service manager to be told.
    let isHeard: Bool

    init(isHeard: Bool = getenv("NOTIFY_SOCKET") != nil) throws(SystemError) {
        self.isHeard = isHeard
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

    // MARK: Descriptors

    /// Gives the service manager a duplicate of the descriptor to keep under this name. False: not now, too many are on
    /// their way.
    func store(_ descriptor: borrowing FileDescriptor, as name: String) -> Bool {
        guard isHeard else { return true }
        let hasRoom = due.withLock { $0.orders.count < DaemonLimits.storeOrders }
        guard hasRoom, let copy = try? descriptor.duplicate() else { return false }
        let number = copy.release()
        change { $0.orders.append(.store(name, number)) }
        return true
    }

    /// Lets go of what is kept under this name.
    func remove(_ name: String) {
        guard isHeard else { return }
        change { $0.orders.append(.remove(name)) }
    }

    /// As `store`, at once: returns when the service manager has it, or will have it before it hears of our end.
    func storeNow(_ descriptor: borrowing FileDescriptor, as name: String) {
        guard isHeard else { return }
        StoreOrder.give(name, descriptor.number)
    }

    /// As `remove`, at once.
    func removeNow(_ name: String) {
        guard isHeard else { return }
        StoreOrder.remove(name).send()
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
            let (orders, messages, isClosed) = due.withLock { due in
                defer { due = Due(isClosed: due.isClosed) }
                return (due.orders, due.messages, due.isClosed)
            }
            for order in orders { order.send() }
            for lines in messages { sd_notify(0, lines.joined(separator: "\n")) }
            if isClosed { break }
            wakeUp.descriptor.waitReadable()
            _ = wakeUp.take()
        }
        finished.signal()
    }
}

/// One change of what the service manager keeps for us (sd_notify(3), `FDSTORE=1`).
///
/// It does not watch what it keeps (`FDPOLL=0`): a client that dies while the daemon is restarted must be found dead by
/// the daemon, which then knows that its turn is over.
private enum StoreOrder: Sendable {
    /// The number is ours to close.
    case store(String, Int32)
    case remove(String)

    func send() {
        switch self {
        case .store(let name, let number):
            Self.give(name, number)
            close(number)
        case .remove(let name): sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)")
        }
    }

    static func give(_ name: String, _ number: Int32) {
        var number = number
        sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=\(name)", &number, 1)
    }
}
