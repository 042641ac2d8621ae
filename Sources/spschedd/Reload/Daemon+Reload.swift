import Arbiter
import ConfigurationFiles
import LinuxIO
import ManagerProtocol

/// Another configuration while VMs go on.
///
/// ```
///   SIGHUP, Reload ──► RELOADING=1 ──► read on another thread ──► Arbiter agrees? ──► applied ──► READY=1
///                                               └── mistakes, or no ──► what held still holds ──┘
/// ```
extension Daemon {
    /// From now on a reload reads what `options` name, and `files` are what this configuration was read from.
    func reads(_ options: ConfigurationOptions, files: [String]) throws(SystemError) {
        let reader = try ConfigurationReader(options)
        try background.poll.add(reader.descriptor, for: .readable, token: Member.configurationReader.token)
        configurationReader = reader
        reloadDesk.started(files)
    }

    /// An operator asks. The ticket is for `reloadOutcome`.
    func beginReload(uid: UInt32) -> UInt64 {
        let (ticket, begins) = reloadDesk.ask()
        if begins { readConfiguration() }
        return ticket
    }

    func reloadOutcome(of ticket: UInt64) -> ManagedReloadOutcome? { reloadDesk.collect(ticket) }
    func abandonReload(_ ticket: UInt64) { reloadDesk.abandon(ticket) }

    /// SIGHUP has come: the journal and the status tell what comes of it.
    func reloadBySignal() {
        if reloadDesk.ask(withTicket: false).begins { readConfiguration() }
    }

    private func readConfiguration() {
        notifier.reloading()
        reloadDesk.begin()
        do {
            guard let configurationReader else { return endReload(.invalid([.noSource])) }
            try configurationReader.start()
        } catch {
            endReload(.invalid([ManagedConfigurationProblem(file: "", line: nil, key: nil, text: "\(error)")]))
        }
    }

    func configurationWasRead() {
        guard let answer = configurationReader?.take() else { return }
        switch answer {
        case .success(let read): endReload(apply(read))
        case .failure(let error): endReload(.invalid(error.problems.map(ManagedConfigurationProblem.init)))
        }
    }

    private func apply(_ read: ReadConfiguration) -> ManagedReloadOutcome {
        let reloading = Reloading(configuration, to: read.loaded)
        let next = reloading.next
        if next.arbiter != configuration.arbiter {
            defer { carryOutDecisions() }
            do throws(ReconfigurationRefusal) {
                try arbiter.reconfigure(next.arbiter, now: clock.now(), into: &decisions)
            } catch {
                return .refused(reloading.objections(error) { arbiter.objections(to: $0) })
            }
        }
        configuration = next
        policies = read.policies
        turnAwayDenied()
        reloadDesk.applied(reloading.files, restartNeeded: reloading.restartNeeded)
        return .done(reloading.reply)
    }

    private func endReload(_ outcome: ManagedReloadOutcome) {
        record(outcome)
        let isWantedAgain = reloadDesk.end(outcome)
        manager.outcomeIsThere()
        toldStatus = statusLine
        notifier.ready(status: toldStatus)
        if isWantedAgain { readConfiguration() }
    }

    // MARK: The journal

    private func record(_ outcome: ManagedReloadOutcome) {
        switch outcome {
        case .done(let reply):
            log(.configurationReloaded, .notice, reply.sentence, [LogField(.count, reply.changes.count)])
            for change in reply.changes {
                log(.configurationReloaded, .notice, change.sentence, [LogField(.setting, change.key)])
            }
        case .invalid(let problems):
            recordFailure("The configuration has mistakes", problems.map { ($0.text, $0.key ?? "") })
        case .refused(let objections):
            recordFailure(
                "The configuration would take from VMs what they were promised",
                objections.map { ($0.text, $0.keys.joined(separator: " ")) })
        }
    }

    private func recordFailure(_ reason: String, _ lines: [(text: String, keys: String)]) {
        reloadDesk.failed(lines.first?.text ?? reason)
        log(.configurationNotReloaded, .error, "\(reason): the one before stays", [LogField(.count, lines.count)])
        for line in lines { log(.configurationNotReloaded, .error, line.text, [LogField(.setting, line.keys)]) }
    }
}

extension ReloadReply {
    fileprivate var sentence: String {
        let from = files.isEmpty ? "no file: the defaults" : files.joined(separator: ", ")
        let count = changes.count == 1 ? "1 setting has changed" : "\(changes.count) settings have changed"
        return "The configuration was read from \(from); " + (changes.isEmpty ? "nothing has changed" : count)
    }
}

extension ManagedSettingChange {
    fileprivate var sentence: String {
        "\(key) was \(was) and is \(now)" + (origin.map { " (\($0))" } ?? " (written nowhere)") + condition
    }

    private var condition: String {
        switch applies {
        case SettingEffect.atOnce.managerName: ""
        case SettingEffect.restart.managerName: ", once the daemon is restarted"
        default: ", for \(since)"
        }
    }
}

extension ManagedConfigurationProblem {
    fileprivate static let noSource = Self(
        file: "", line: nil, key: nil, text: "this daemon was started without a source of its configuration")

    fileprivate init(_ problem: ConfigurationProblem) {
        self.init(
            file: problem.file, line: problem.line.map { Int64($0) }, key: problem.key, text: problem.description)
    }
}
