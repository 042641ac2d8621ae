import Arbiter

extension SecureProcessor {
    /// Commands of one ioctl that had the SP without another's between them.
    public struct Run: Equatable, Sendable {
        public let origin: UInt64
        public let tag: UInt64
        public let kind: CommandKind
        public let start: Instant
        public internal(set) var end: Instant
        /// Firmware commands.
        public internal(set) var commands: UInt32
    }
}

/// Joins commands into runs. Holds at most what ended since the last `take`.
struct RunRecorder: Sendable {
    var isRecording = false
    private var current: SecureProcessor.Run?
    private var ended: [SecureProcessor.Run] = []

    mutating func record(_ job: Job, from start: Instant, to end: Instant) {
        guard isRecording else { return }
        if current?.origin == job.origin, current?.tag == job.tag {
            current?.end = end
            current?.commands += 1
        } else {
            if let current { ended.append(current) }
            current = SecureProcessor.Run(
                origin: job.origin, tag: job.tag, kind: job.sequence.kind, start: start, end: end, commands: 1)
        }
    }

    mutating func take(includingCurrent: Bool) -> [SecureProcessor.Run] {
        if includingCurrent, let run = current {
            ended.append(run)
            current = nil
        }
        defer { ended.removeAll(keepingCapacity: true) }
        return ended
    }
}
