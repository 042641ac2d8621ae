import Arbiter

/// What the daemon writes down, each record within a budget: state changes, not chatter.
extension Daemon {
    /// A record about the daemon itself: within its event's budget, and not again what it just said.
    func log(
        _ event: LogEvent, _ priority: LogPriority, _ message: String, _ fields: [LogField] = [],
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        guard eventBudgets.admits(event, saying: message, at: now) else { return }
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

    /// A record for which a client is to blame: the first of its kind names it, and the rest are
    /// counted.
    func logOffence(
        _ event: LogEvent, _ priority: LogPriority, of account: Account,
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = [],
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        guard account.journal.admitsOffence(event, at: now), logger.isHeard else { return }
        write(event, priority, of: account, message(), fields(), file: file, line: line, function: function)
    }

    private func write(
        _ event: LogEvent, _ priority: LogPriority, of account: Account, _ message: String, _ fields: [LogField],
        file: StaticString, line: UInt, function: StaticString
    ) {
        let all = fields + [LogField(.uid, account.key.uid), LogField(.label, account.key.label)]
        logger.log(LogRecord(event, priority, message, all, file: file, line: line, function: function))
    }

    /// Tells how many records were withheld, of each account and event whose window is over.
    /// - Parameter isLast: the daemon ends; windows that are not over are told, too.
    func reportWithheld(_ now: Instant, isLast: Bool = false) {
        accounts.forEach { account in
            guard let count = account.journal.takeWithheld(at: now, evenEarly: isLast) else { return }
            tellWithheld(
                count, about: account.key.text,
                [LogField(.uid, account.key.uid), LogField(.label, account.key.label)])
        }
        for (event, count) in eventBudgets.takeWithheld(at: now, evenEarly: isLast) {
            tellWithheld(count, about: "MESSAGE_ID=\(event.messageID)", [])
        }
    }

    private func tellWithheld(_ count: Int, about whom: String, _ fields: [LogField]) {
        logger.log(
            LogRecord(
                .repeated, .notice, "\(count) further records about \(whom) were withheld",
                fields + [LogField(.about, whom), LogField(.count, count)]))
    }
}
