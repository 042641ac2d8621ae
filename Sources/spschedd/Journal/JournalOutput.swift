import CSystemd.Journal
import Glibc
import LinuxIO

/// Where records go: the journal with all their fields, or standard error as text for people.
enum LogOutput: Sendable {
    case journal
    case standardError
    /// For a daemon under test whose records nobody reads.
    case nowhere

    /// The journal if standard error is connected to it (systemd.exec(5), `$JOURNAL_STREAM`): then a person at a
    /// terminal, who redirected nothing, still sees text.
    static func fromEnvironment() -> LogOutput {
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return .standardError }
        guard let stream = getenv("JOURNAL_STREAM") else {
            return wasStartedBySystemd && isNull(status) ? .journal : .standardError
        }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)" ? .journal : .standardError
    }

    /// While nobody listens where the journal's streams begin, systemd connects a service to /dev/null instead, for as
    /// long as it runs. The journal's other socket is looked for with every record.
    private static func isNull(_ status: stat) -> Bool {
        var null = stat()
        return lstat("/dev/null", &null) == 0 && status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == null.st_rdev
    }

    /// Not one of its children, nor in a shell that it started (systemd.exec(5), `$SYSTEMD_EXEC_PID`).
    private static var wasStartedBySystemd: Bool {
        getenv("SYSTEMD_EXEC_PID").map { String(cString: $0) } == String(getpid())
    }

    /// Writes one record. May block for as long as the journal or the terminal does.
    func write(_ record: LogRecord) {
        switch self {
        case .standardError: standardError(record)
        case .journal: send(record.journalFields)
        case .nowhere: break
        }
    }

    /// Writes the record of a process that ends at once, so that the journal still knows which unit it was of.
    func writeLast(_ record: LogRecord) {
        guard self == .journal else { return write(record) }
        let lines = record.journalFields.map { $0.split(separator: "\n").joined(separator: " ") + "\n" }
        let text = Array(lines.joined().utf8)
        // SAFETY: the bytes are only read, during the call.
        let result = text.withUnsafeBytes {
            linux_journal_send_last($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if result != 0 { write(record) }
    }

    private func standardError(_ record: LogRecord) {
        let text = Array("spschedd: \(record.priority.name): \(record.message.inOneLine)\n".utf8)
        // SAFETY: the bytes are only read, during the call. A terminal that takes less has no use for the rest.
        _ = text.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private func send(_ fields: [String]) {
        let texts = fields.map { Array($0.utf8) }
        var parts = texts.map {
            iovec(iov_base: UnsafeMutableRawPointer.allocate(byteCount: $0.count, alignment: 1), iov_len: $0.count)
        }
        // SAFETY: each part was allocated with exactly the length of its text, and is freed after the call.
        for (part, text) in zip(parts, texts) { part.iov_base.copyMemory(from: text, byteCount: text.count) }
        sd_journal_sendv(&parts, Int32(parts.count))
        for part in parts { part.iov_base.deallocate() }
    }
}

extension LogRecord {
    /// `NAME=value` as the journal takes it; values are cut at `DaemonLimits.logFieldBytes`. The sentence is for
    /// terminals: names in it have their invisible characters escaped. The fields keep them, for programs to compare.
    var journalFields: [String] {
        var all = [
            "MESSAGE=\(cut(message.inOneLine))", "PRIORITY=\(priority.rawValue)", "MESSAGE_ID=\(event.messageID)",
            "SYSLOG_IDENTIFIER=spschedd", "CODE_FILE=\(file)", "CODE_LINE=\(line)", "CODE_FUNC=\(function)",
        ]
        for field in fields { all.append("SPSCHEDD_\(field.name.rawValue)=\(cut(field.value))") }
        // The catalog's texts name these: a reader must never see a hole in a sentence.
        for name in event.promisedFields where !fields.contains(where: { $0.name == name }) {
            all.append("SPSCHEDD_\(name.rawValue)=unknown")
        }
        return all
    }

    private func cut(_ text: String) -> String {
        text.utf8.count <= DaemonLimits.logFieldBytes
            ? text : String(decoding: text.utf8.prefix(DaemonLimits.logFieldBytes), as: UTF8.self)
    }
}
