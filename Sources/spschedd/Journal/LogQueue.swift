import LinuxIO

/// The ring between the loop, which must never wait, and the logger thread, which may.
final class LogQueue: Sendable {
    private struct State {
        var records: [LogRecord] = []
        var dropped = 0
        var droppedInAll: Int64 = 0
        var isClosed = false
    }

    enum Batch: Sendable {
        /// `dropped`: so many were lost since the last batch.
        case records([LogRecord], dropped: Int)
        case closed
    }

    private let capacity: Int
    private let state = Guarded(State())
    private let wakeUp: WakeUp

    init(capacity: Int = DaemonLimits.logRecords) throws(SystemError) {
        self.capacity = capacity
        wakeUp = try WakeUp()
    }

    /// Hands a record over, or counts it as lost when the ring is full. Never waits.
    func push(_ record: LogRecord) {
        state.withLock { state in
            if state.records.count < capacity && !state.isClosed {
                state.records.append(record)
            } else {
                state.dropped += 1
                state.droppedInAll += 1
            }
        }
        wakeUp.signal()
    }

    /// Since the start.
    var dropped: Int64 { state.withLock { $0.droppedInAll } }

    /// No more records come; what is in the ring is still to be written.
    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    /// Waits for records.
    func next() -> Batch {
        while true {
            let batch: Batch? = state.withLock { state in
                if state.records.isEmpty && state.dropped == 0 { return state.isClosed ? .closed : nil }
                defer {
                    state.records = []
                    state.dropped = 0
                }
                return .records(state.records, dropped: state.dropped)
            }
            if let batch { return batch }
            wakeUp.descriptor.waitReadable()
            _ = wakeUp.take()
        }
    }
}
