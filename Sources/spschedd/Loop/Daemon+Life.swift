import Arbiter
import ConfigurationFiles
import LinuxIO
import ManagerProtocol

/// Beginning, end, and what is looked at now and then.
extension Daemon {
    func begin() {
        log(
            .started, .info, "spschedd \(PackageVersion.current) has started",
            [LogField(.version, PackageVersion.current), LogField(.epoch, hexadecimal(epoch))])
        sayWhatWasTakenUp()
        sayWhereTheTraceIs()
        checkDevice(clock.now(), isFirst: true)
        beginResync()
        toldStatus = statusLine
        notifier.ready(status: toldStatus)
        log(
            .ready, .info,
            "Ready: VMMs connect to \(configuration.vmm.path), operators to \(configuration.manager.path)",
            [LogField(.path, configuration.vmm.path)])
    }

    /// Restart and stop are the same: clients keep what they hold and find the next daemon by themselves.
    func end() {
        reportWithheld(now, isLast: true)
        notifier.stopping(status: "Stopping; \(vms.count) VMs go on by themselves")
        notifier.close()
        logger.close()
    }

    /// Asks for housekeeping no later than `instant`.
    func keepHouse(by instant: Instant) { housekeepingAt = min(housekeepingAt, instant) }

    func keepHouse(_ now: Instant) {
        housekeepingAt = deviceCheckAt
        resumeAccepting(now)
        closeSilent(now)
        removeLingering(now)
        if !storeLater.isEmpty { storeWhatWaits() }
        if deviceCheckAt <= now {
            deviceCheckAt = now + DaemonLimits.deviceCheckEvery
            checkDevice(now)
            reportWithheld(now)
            if let trace, let problem = trace.takeProblem() {
                log(.trace, .error, problem, [LogField(.path, trace.path)])
            }
            accounts.sweep({ $0.isForgettable(at: now) }, { closeAccount($0, now) })
            tellStatus()
        }
        keepHouse(by: deviceCheckAt)
        // Deadlines come in crowds when clients do: look at them together.
        housekeepingAt = max(housekeepingAt, now + DaemonLimits.housekeepingEvery)
    }

    func tellStatus() {
        let current = statusLine
        guard current != toldStatus else { return }
        toldStatus = current
        notifier.status(current)
    }

    /// Says that reservations are suspended, or hold again.
    func noteReservations(areSuspended: Bool) {
        saidReservationsAreSuspended = areSuspended
        note(.reservations(areSuspended: areSuspended))
        log(
            .reservations, .notice,
            areSuspended
                ? "Launches use more than their reserve: reservations are suspended, and guests have the floor"
                : "Launches keep to their reserve again: reservations hold")
    }

    /// What `systemctl status` shows.
    var statusLine: String {
        let overview = arbiter.overview(now: clock.now())
        var parts = ["\(vms.count) VMs", "\(connections.count) connections"]
        parts.append(RateText.write(overview.reserved) + " reserved, " + RateText.write(overview.rateLeft) + " left")
        if overview.sessionsOpen > 0 { parts.append("\(overview.sessionsOpen) launches open") }
        if overview.reservationsAreSuspended { parts.append("reservations suspended by launch overload") }
        if overview.isDraining { parts.append("DRAINING: nothing new is admitted or served") }
        if let failure = reloadDesk.state.failure { parts.append("RELOAD FAILED: \(failure)") }
        let figures = parts.joined(separator: "; ")
        switch overview.device {
        case .alive: return "\(deviceAccess.path) is served: \(figures)"
        case .stuck: return "SP STUCK: a status command has not come back; no grants. \(figures)"
        case .dead: return "SP DEAD: ccp gave the device up; no grants. \(figures)"
        case .absent:
            guard case .absent(let reason) = deviceAccess.presence else { return "Degraded; \(figures)" }
            return "DEGRADED, turns are granted all the same: \(reason). \(figures)"
        }
    }
}

/// Sixteen hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
