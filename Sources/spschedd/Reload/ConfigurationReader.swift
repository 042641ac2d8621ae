import ConfigurationFiles
import LinuxIO

/// What was read, and what had to be looked up for it.
struct ReadConfiguration: Sendable {
    let loaded: LoadedConfiguration
    let policies: PolicyTable

    init(_ options: ConfigurationOptions) throws(ConfigurationError) {
        loaded = try options.load()
        try loaded.lookUpNames()
        do throws(UnknownMember) {
            policies = try PolicyTable(loaded.configuration.policies)
        } catch {
            // It was there a moment ago.
            throw ConfigurationError(
                ConfigurationProblem(file: ConfigurationFile.defaultPath, key: error.key, message: "\(error)"))
        }
    }
}

/// Reads the configuration's files on a thread of its own: the loop waits for no disk, and for no name service.
final class ConfigurationReader: Sendable {
    typealias Answer = Result<ReadConfiguration, ConfigurationError>

    private let options: ConfigurationOptions
    private let answer = Guarded<Answer?>(nil)
    private let isRead: WakeUp

    init(_ options: ConfigurationOptions) throws(SystemError) {
        self.options = options
        isRead = try WakeUp()
    }

    /// Becomes readable when an answer is there.
    var descriptor: Int32 { isRead.descriptor.number }

    /// Begins to read. One at a time: not before the answer to the last has been taken.
    func start() throws(SystemError) {
        try DetachedThread.start(named: "configuration") { [self] in
            let read = Answer { () throws(ConfigurationError) in try ReadConfiguration(options) }
            answer.withLock { $0 = read }
            isRead.signal()
        }
    }

    func take() -> Answer? {
        guard isRead.take() else { return nil }
        return answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
    }
}
