import ConfigurationFiles
import LinuxIO

/// Reads the configuration's files on a thread of its own: the loop waits for no disk.
final class ConfigurationReader: Sendable {
    typealias Answer = Result<LoadedConfiguration, ConfigurationError>

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
            let read = Answer { () throws(ConfigurationError) in try options.load() }
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
