import Arbiter
import LinuxIO

/// The loop's hand in the journal: records go into a bounded ring, and one thread writes them.
///
/// `sd_journal_sendv` blocks its caller while journald stalls, so it is never called on the loop's thread.
final class Logger: Sendable {
    private let queue: LogQueue
    private let finished: WakeUp
    /// Whether it is worth writing a record.
    let isHeard: Bool

    init(output: LogOutput = .fromEnvironment()) throws(SystemError) {
        queue = try LogQueue()
        finished = try WakeUp()
        isHeard = output != .nowhere
        try DetachedThread.start(named: "journal") { [self] in run(output) }
    }

    func log(_ record: LogRecord) { if isHeard { queue.push(record) } }

    /// Records that the journal was too slow for, since the start.
    var dropped: Int64 { queue.dropped }

    /// Writes what is left, but waits no longer than `DaemonLimits.logFlush`.
    func close() {
        queue.close()
        finished.descriptor.waitReadable(milliseconds: Int32(DaemonLimits.logFlush.count / 1_000_000))
    }

    private func run(_ output: LogOutput) {
        while case .records(let records, let dropped) = queue.next() {
            for record in records { output.write(record) }
            if dropped > 0 {
                output.write(
                    LogRecord(
                        .recordsDropped, .warning,
                        "\(dropped) log records were lost: the journal took longer than the daemon, which does not wait",
                        [LogField(.count, dropped)]))
            }
        }
        finished.signal()
    }
}
