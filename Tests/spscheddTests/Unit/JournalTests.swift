import Arbiter
import Testing

@testable import spschedd

@Suite("What is written down")
struct JournalTests {
    private static let now = Instant(sinceBoot: .seconds(1_000))

    @Test("a name in the sentence neither hides nor turns anything; the field has it as it is")
    func names() {
        let record = LogRecord(
            .vmRegistered, .info, "VM a\u{202E}b\u{200B} has registered", [LogField(.vmName, "a\u{202E}b\u{200B}")])
        #expect(record.journalFields.contains(#"MESSAGE=VM a\u{202E}b\u{200B} has registered"#))
        #expect(record.journalFields.contains("SPSCHEDD_VM_NAME=a\u{202E}b\u{200B}"))
    }

    @Test("each event has an identity of its own, in the form that journalctl takes")
    func identities() {
        let identities = Set(LogEvent.allCases.map(\.messageID))
        #expect(identities.count == LogEvent.allCases.count)
        for identity in identities {
            #expect(identity.count == 32)
            #expect(identity.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    @Test("a record has its sentence, priority, event and place, and its own fields under our prefix")
    func fields() {
        let record = LogRecord(
            .turnOverdue, .warning, "It is late.", [LogField(.vmName, "web"), LogField(.turn, 7)], file: "a/b.swift",
            line: 12, function: "f()")
        #expect(
            record.journalFields == [
                "MESSAGE=It is late.", "PRIORITY=4", "MESSAGE_ID=\(LogEvent.turnOverdue.messageID)",
                "SYSLOG_IDENTIFIER=spschedd", "CODE_FILE=a/b.swift", "CODE_LINE=12", "CODE_FUNC=f()",
                "SPSCHEDD_VM_NAME=web", "SPSCHEDD_TURN=7",
            ])
    }

    @Test("a client's long text is cut, so that a record has a bound")
    func bound() {
        let long = String(repeating: "x", count: 100_000)
        let record = LogRecord(.protocolError, .notice, long, [LogField(.client, long)])
        for field in record.journalFields { #expect(field.utf8.count <= DaemonLimits.logFieldBytes + 32) }
    }

    @Test("a full ring loses the newest records, counts them, and never makes its writer wait")
    func fullRing() throws {
        let queue = try LogQueue(capacity: 2)
        for number in 0..<5 { queue.push(LogRecord(.ready, .info, "\(number)")) }
        guard case .records(let records, let dropped) = queue.next() else {
            Issue.record("the queue says that it is closed")
            return
        }
        #expect(records.map(\.message) == ["0", "1"])
        #expect(dropped == 3)
        queue.close()
        guard case .closed = queue.next() else {
            Issue.record("a closed and empty queue says that it is neither")
            return
        }
    }

    @Test("a field that the event promises and the caller lacks is sent all the same", arguments: LogEvent.allCases)
    func promisedFields(_ event: LogEvent) {
        let sent = LogRecord(event, .info, "It is so.").journalFields
        for name in event.promisedFields { #expect(sent.contains("SPSCHEDD_\(name.rawValue)=unknown")) }
        let known = event.promisedFields.map { LogField($0, "known") }
        let full = LogRecord(event, .info, "It is so.", known).journalFields
        #expect(full.count == sent.count && !full.contains { $0.hasSuffix("=unknown") })
    }

    @Test("the daemon says the same once in a window, another thing at once, and tells how often it said it")
    func eventBudgets() {
        let budgets = HeldEventBudgets()
        #expect(budgets.admits(.deviceLink, saying: "it is lost", at: Self.now))
        for _ in 0..<7 { #expect(!budgets.admits(.deviceLink, saying: "it is lost", at: Self.now + .seconds(1))) }
        #expect(budgets.admits(.deviceLink, saying: "it is somewhere else", at: Self.now + .seconds(1)))
        #expect(budgets.admits(.probe, saying: "it is lost", at: Self.now + .seconds(1)))
        #expect(budgets.takeWithheld(at: Self.now + .seconds(1)).isEmpty)
        #expect(budgets.takeWithheld(at: Self.now + Self.window) == [.deviceLink: 7])
        #expect(budgets.takeWithheld(at: Self.now + Self.window).isEmpty)
    }

    @Test("what the daemon says again in each window is told ever more rarely")
    func growingEventWindows() {
        let budgets = HeldEventBudgets()
        var written = 0
        for second in 0..<3_600 where budgets.admits(.probe, saying: "no", at: Self.now + .seconds(Int64(second))) {
            written += 1
        }
        // 10 s, 20 s, 40 s … 640 s, 640 s …, as for an account's offences.
        #expect(written == 11)
    }

    @Test("one event of which everything is said anew cannot fill the journal")
    func newWords() {
        let budgets = HeldEventBudgets()
        let admitted = (0..<1_000).count { budgets.admits(.managerRefused, saying: "\($0)", at: Self.now) }
        #expect(admitted == DaemonLimits.logRecordsPerAccount)
        #expect(budgets.takeWithheld(at: Self.now, evenEarly: true) == [.managerRefused: 1_000 - admitted])
    }

    private static let window = DaemonLimits.logWindow.lowerBound

    @Test("an offence of each kind is named once in a window, and the rest are counted and told once")
    func offenceBudget() {
        let budget = HeldBudget()
        #expect(budget.admitsOffence(at: Self.now))
        for _ in 0..<500 { #expect(!budget.admitsOffence(at: Self.now + .seconds(1))) }
        // Who floods and then meets a limit is not only said to flood.
        for kind in [LogEvent.flood, .accountLimit, .disconnected] {
            #expect(budget.admitsOffence(kind, at: Self.now + .seconds(1)))
        }
        #expect(budget.admitsRecord(at: Self.now + .seconds(1)))
        #expect(budget.takeWithheld(at: Self.now + .seconds(1)) == nil)
        let later = Self.now + Self.window
        #expect(budget.takeWithheld(at: later) == 500)
        #expect(budget.takeWithheld(at: later) == nil)
        #expect(budget.admitsOffence(at: later))
    }

    @Test("windows double while an account offends in each, and begin anew when it has stopped")
    func growingWindows() {
        let budget = HeldBudget()
        var now = Self.now
        var named: [Instant] = []
        while now < Self.now + .seconds(3_600) {
            if budget.admitsOffence(at: now) { named.append(now) }
            now += .milliseconds(100)
        }
        // 10 s, 20 s, 40 s … 640 s, 640 s …: eleven records in an hour of offences.
        #expect(named.count == 11)
        #expect(named[1] - named[0] == Self.window)
        #expect(named[10] - named[9] == DaemonLimits.logWindow.upperBound)
        let calm = now + DaemonLimits.logWindow.upperBound * 2
        #expect(budget.admitsOffence(at: calm))
        #expect(budget.admitsOffence(at: calm + Self.window))
    }

    @Test("an account that offended is not to be forgotten before its window is over and its count is told")
    func notForgotten() {
        let budget = HeldBudget()
        #expect(budget.isQuiet(at: Self.now))
        _ = budget.admitsOffence(at: Self.now)
        _ = budget.admitsOffence(at: Self.now)
        #expect(!budget.isQuiet(at: Self.now + .seconds(5)))
        let later = Self.now + Self.window
        #expect(!budget.isQuiet(at: later))
        #expect(budget.takeWithheld(at: later) == 1)
        #expect(budget.isQuiet(at: later))
    }

    @Test("an account cannot fill the journal")
    func recordBudget() {
        let budget = HeldBudget()
        let admitted = (0..<10_000).count { _ in budget.admitsRecord(at: Self.now) }
        #expect(admitted == DaemonLimits.logRecordsPerAccount)
        #expect(budget.admitsRecord(at: Self.now, isRoutine: true), "a host that starts all its VMs hides no trouble")
        #expect(budget.takeWithheld(at: Self.now + Self.window) == 10_000 - admitted)
    }
}
