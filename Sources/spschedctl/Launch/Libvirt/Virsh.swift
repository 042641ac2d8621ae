import Arbiter
import Glibc
import LinuxIO
import Reporting

/// Runs `virsh` from the PATH, one command at a time.
struct Virsh {
    private let path: String
    /// Arguments before each command: the hypervisor to connect to.
    private let connection: [String]
    private let signals: LaunchSignals

    enum Fault: Error, Equatable {
        /// It ended with another status than 0; what it said.
        case failed(command: String, text: String)
        case slow(command: String, after: Nanoseconds)
        case interrupted(signal: Int32)
        case notStarted(SystemError)
    }

    /// - Parameter uri: as `virsh --connect` takes it; `nil`: libvirt's default.
    init(uri: String?, signals: LaunchSignals) throws(LaunchProblem) {
        let directories = Self.searchPath.split(separator: ":")
        let candidates: [String] = directories.map { "\($0)/virsh" }
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw .libvirt("there is no 'virsh' on PATH. On Debian: apt-get install libvirt-clients")
        }
        self.path = path
        self.signals = signals
        connection = uri.map { ["--connect", $0] } ?? []
    }

    private static var searchPath: String {
        // SAFETY: nothing here changes the environment.
        guard let value = getenv("PATH") else { return "" }
        return String(cString: value)
    }

    /// Runs one command and returns the first line of what it printed.
    func run(_ command: String, _ arguments: [String], patience: Nanoseconds) throws(Fault) -> String {
        do {
            let output = try PipeEnd.make()
            let errors = try PipeEnd.make()
            // Its messages are shown as they are; what is read of them is not translated.
            let environment = ChildProcess.currentEnvironment().filter { !$0.hasPrefix("LC_ALL=") } + ["LC_ALL=C"]
            let nothing = try FileDescriptor.openReadOnly("/dev/null")
            let child = try ChildProcess.spawn(
                path, connection + [command] + arguments, environment: environment,
                descriptors: [nothing.number, output.writer.number, errors.writer.number])
            var run = VirshRun(command: command, output: output.reader, errors: errors.reader)
            try run.finish(child.endDescriptor, signals, deadline: BootClock.now() + patience, patience)
            guard child.wait() == .exited(code: 0) else { throw Fault.failed(command: command, text: run.complaint) }
            return run.answer
        } catch let fault as Fault {
            throw fault
        } catch let error as SystemError {
            throw .notStarted(error)
        } catch {
            throw .failed(command: command, text: "\(error)")
        }
    }
}

extension Virsh.Fault: CustomStringConvertible {
    var description: String {
        switch self {
        case .failed(let command, let text): "'virsh \(command)' failed: \(text)"
        case .slow(let command, let time): "'virsh \(command)' has not ended for \(Format.duration(time))"
        case .interrupted: "interrupted"
        case .notStarted(let error): "\(error)"
        }
    }
}

/// What one run of virsh prints, read while it runs.
private struct VirshRun: ~Copyable {
    let command: String
    let output: FileDescriptor
    let errors: FileDescriptor
    private var printed: [UInt8] = []
    private var complained: [UInt8] = []

    init(command: String, output: consuming FileDescriptor, errors: consuming FileDescriptor) {
        self.command = command
        self.output = output
        self.errors = errors
    }

    var answer: String { Self.firstLine(printed) }

    var complaint: String {
        let text = String(decoding: complained, as: UTF8.self).split(whereSeparator: \.isNewline).joined(
            separator: "; ")
        return text.isEmpty ? "it does not say why" : String.foreign(text)
    }

    /// Reads until the process has ended.
    mutating func finish(
        _ end: Int32, _ signals: LaunchSignals, deadline: Instant, _ patience: Nanoseconds
    ) throws(Virsh.Fault) {
        var open = (output: true, errors: true)
        while true {
            let watched = [
                signals.descriptor, open.output ? output.number : -1, open.errors ? errors.number : -1, end,
            ]
            let left = deadline - BootClock.now()
            guard left > .zero, let ready = Readable.first(of: watched, milliseconds: left.pollMilliseconds) else {
                throw .slow(command: command, after: patience)
            }
            switch ready {
            case 0: if let signal = signals.take() { throw .interrupted(signal: signal) }
            case 1: open.output = Self.read(output, into: &printed)
            case 2: open.errors = Self.read(errors, into: &complained)
            default: return
            }
        }
    }

    /// Takes what is there; beyond the limit it is read and forgotten. False: nothing more will come.
    private static func read(_ descriptor: borrowing FileDescriptor, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(descriptor.number, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        bytes += buffer[..<count].prefix(max(0, LaunchLimits.virshBytes - bytes.count))
        return true
    }

    private static func firstLine(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// Both ends of a pipe.
private struct PipeEnd: ~Copyable {
    let reader: FileDescriptor
    let writer: FileDescriptor

    static func make() throws(SystemError) -> PipeEnd {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError(code: errno, attempt: "make a pipe") }
        let pipe = PipeEnd(reader: FileDescriptor(adopting: ends[0]), writer: FileDescriptor(adopting: ends[1]))
        try pipe.reader.setCloseOnExec()
        try pipe.writer.setCloseOnExec()
        return pipe
    }
}
