import Arbiter
import ConfigurationFiles
import LinuxIO

/// Beginning, end, and what is looked at now and then.
extension Daemon {
    func begin() {
        log(
            .started, .info, "spschedd \(PackageVersion.current) has started",
            [LogField(.version, PackageVersion.current), LogField(.epoch, hexadecimal(epoch))])
        sayWhereTheTraceIs()
        checkDevice(clock.now(), isFirst: true)
        toldStatus = statusLine
        notifier.ready(status: toldStatus)
        log(
            .ready, .info,
            "Ready: VMMs connect to \(configuration.vmm.path), operators to \(configuration.manager.path)",
            [LogField(.path, configuration.vmm.path)])
    }

    /// Restart and stop are the same: clients keep what they hold and find the next daemon by themselves.
    func end() {
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
        if deviceCheckAt <= now {
            deviceCheckAt = now + DaemonLimits.deviceCheckEvery
            checkDevice(now)
            reportWithheld(now)
            if let problem = trace?.takeProblem() { log(.trace, .error, problem) }
            accounts.sweep({ $0.isForgettable(at: now) }, { arbiter.closeAccount($0, now: now) })
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

    /// What `systemctl status` shows.
    var statusLine: String {
        let overview = arbiter.overview(now: clock.now())
        var parts = ["\(vms.count) VMs", "\(connections.count) connections"]
        parts.append(RateText.write(overview.reserved) + " reserved, " + RateText.write(overview.rateLeft) + " left")
        if overview.sessionsOpen > 0 { parts.append("\(overview.sessionsOpen) launches open") }
        if overview.reservationsAreSuspended { parts.append("reservations suspended by launch overload") }
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

    private func reportWithheld(_ now: Instant) {
        accounts.forEach { account in
            guard let count = account.journal.takeWithheld(at: now) else { return }
            log(
                .repeated, .notice, "\(count) further records about \(account.key.text) were withheld",
                [LogField(.uid, account.key.uid), LogField(.label, account.key.label), LogField(.count, count)])
        }
    }
}

// MARK: - The journal

extension Daemon {
    func log(
        _ event: LogEvent, _ priority: LogPriority, _ message: String, _ fields: [LogField] = [],
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        logger.log(LogRecord(event, priority, message, fields, file: file, line: line, function: function))
    }

    /// A record that a client can cause: within its account's budget.
    func log(
        _ event: LogEvent, _ priority: LogPriority, of account: Account, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> [LogField] = [], file: StaticString = #fileID, line: UInt = #line,
        function: StaticString = #function
    ) {
        guard account.journal.admitsRecord(at: now, isRoutine: event.isRoutine), logger.isHeard else { return }
        write(event, priority, of: account, message(), fields(), file: file, line: line, function: function)
    }

    /// A record for which a client is to blame: the first names it, and the rest are counted.
    func logOffence(
        _ event: LogEvent, _ priority: LogPriority, of account: Account,
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = [],
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let isDisconnection = event == .disconnected
        guard account.journal.admitsOffence(at: now, isDisconnection: isDisconnection), logger.isHeard else { return }
        write(event, priority, of: account, message(), fields(), file: file, line: line, function: function)
    }

    private func write(
        _ event: LogEvent, _ priority: LogPriority, of account: Account, _ message: String, _ fields: [LogField],
        file: StaticString, line: UInt, function: StaticString
    ) {
        let all = fields + [LogField(.uid, account.key.uid), LogField(.label, account.key.label)]
        log(event, priority, message, all, file: file, line: line, function: function)
    }
}

/// Sixteen hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
