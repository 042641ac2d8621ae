import Arbiter
import Glibc
import KVMTrace
import LinuxIO

/// Reads the trace, counts, and reports: until a signal says to stop or the trace ends.
struct Observer: ~Copyable {
    private let trace: TraceInstance
    private var reporter: Reporter
    private var text = TraceText()
    private var tally = RequestTally()

    init(trace: consuming TraceInstance, reporter: consuming Reporter) {
        self.trace = trace
        self.reporter = reporter
    }

    /// False: the trace has ended by itself, which tracefs does not do.
    consuming func run(until signals: borrowing SignalDescriptor) throws(SystemError) -> Bool {
        var reportAt = BootClock.now()
        var goesOn = true
        while goesOn, signals.take() == nil {
            let now = BootClock.now()
            if reportAt <= now {
                reporter.report(tally.takeRecent(remembered: ObserverLimits.remembered), lost: tally.lost)
                reportAt = now + ObserverLimits.reportEvery
            }
            goesOn = try wait(signals.descriptor.number, reportAt - now) ? read() : true
        }
        reporter.report(tally.takeRecent(remembered: ObserverLimits.remembered), lost: tally.lost)
        trace.end()
        return goesOn
    }

    /// Whether the trace can be read.
    private func wait(_ signals: Int32, _ time: Nanoseconds) throws(SystemError) -> Bool {
        var states = [signals, trace.pipe.number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let milliseconds = Int32(clamping: max(0, time.count) / 1_000_000 + 1)
        guard poll(&states, nfds_t(states.count), milliseconds) >= 0 || errno == EINTR else {
            throw SystemError(code: errno, attempt: "wait for the trace")
        }
        return states[1].revents != 0
    }

    /// Counts what is there. False: nothing more will come.
    private mutating func read() throws(SystemError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: ObserverLimits.readBytes)
        let count = Glibc.read(trace.pipe.number, &buffer, buffer.count)
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else { throw SystemError(code: errno, attempt: "read the trace") }
            return true
        }
        text.append(buffer[..<count]) { tally.note($0) }
        return count > 0
    }
}
