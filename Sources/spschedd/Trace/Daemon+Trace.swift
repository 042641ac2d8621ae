import Arbiter
import ConfigurationFiles
import LinuxIO
import TraceFormat

/// The trace, as far as the daemon opens it and speaks of it.
extension Daemon {
    /// A trace that cannot be written is no reason to leave a host's VMs without a scheduler: it is told, and missed.
    static func openTrace(
        _ configuration: DaemonConfiguration, epoch: UInt64, _ now: Instant, _ logger: Logger
    ) -> TraceRecorder? {
        guard configuration.trace.file != nil else { return nil }
        let origin = TraceOrigin(
            epoch: epoch, startedAt: now.sinceBoot.count, startedAtSinceEpoch: CalendarClock.now(),
            programVersion: PackageVersion.current)
        do throws(TraceRecorderProblem) {
            return try TraceRecorder(configuration.trace, vms: configuration.clients.vmsMax, origin)
        } catch {
            logger.log(
                LogRecord(
                    .trace, .error, "Nothing is recorded. \(error)",
                    [LogField(.path, configuration.trace.file ?? "")]))
            return nil
        }
    }

    func sayWhereTheTraceIs() {
        guard let trace else { return }
        let fields = [LogField(.path, trace.path)]
        log(.trace, .info, "Every decision is recorded in \(trace.path)", fields)
        guard !trace.isInMemory else { return }
        log(
            .trace, .warning,
            "\(trace.path) lies on a disk: while that is busy the kernel may let every VM wait. Choose a tmpfs, as /run is",
            fields)
    }
}
