import Glibc
import LinuxIO

/// A trace of our own: an instance of tracefs, which disturbs nobody else's, with one event behind a filter.
struct TraceInstance: ~Copyable {
    private let directory: String
    let pipe: FileDescriptor
    /// False: the trace names threads, not processes; the daemon then cannot tell whose they are.
    let namesProcesses: Bool

    private static let name = "instances/spschedd-observer"
    private static let event = "events/kvm/kvm_vmgexit_enter"
    /// SVM_VMGEXIT_GUEST_REQUEST and SVM_VMGEXIT_EXT_GUEST_REQUEST.
    private static let filter = "exit_reason == 0x80000011 || exit_reason == 0x80000012"

    enum Trouble: Error, CustomStringConvertible {
        /// There is no such event.
        case noEvent(String)
        case system(SystemError)

        var description: String {
            switch self {
            case .noEvent(let path): "there is no \(path): load kvm_amd, on a kernel with tracepoints"
            case .system(let error): "\(error)"
            }
        }
    }

    /// - Parameter tracefs: where tracefs is mounted.
    static func begin(tracefs: String) throws(Trouble) -> TraceInstance {
        guard access("\(tracefs)/\(event)", F_OK) == 0 else { throw .noEvent("\(tracefs)/\(event)") }
        do throws(SystemError) {
            let directory = "\(tracefs)/\(name)"
            let namesProcesses = try prepare(directory)
            let pipe = try FileDescriptor.openReadOnly("\(directory)/trace_pipe")
            try write("1", directory, "tracing_on")
            return TraceInstance(directory: directory, pipe: pipe, namesProcesses: namesProcesses)
        } catch {
            throw .system(error)
        }
    }

    private init(directory: String, pipe: consuming FileDescriptor, namesProcesses: Bool) {
        self.directory = directory
        self.pipe = pipe
        self.namesProcesses = namesProcesses
    }

    /// Whether processes are named.
    private static func prepare(_ directory: String) throws(SystemError) -> Bool {
        // One that a killed observer left behind is taken up again.
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw SystemError(code: errno, attempt: "make the trace instance", subject: directory)
        }
        try write("0", directory, "tracing_on")
        // What an earlier observer did not read.
        try write("", directory, "trace")
        try write("\(ObserverLimits.bufferKiB)", directory, "buffer_size_kb")
        let namesProcesses = (try? write("1", directory, "options/record-tgid")) != nil
        try write(filter, directory, event + "/filter")
        try write("1", directory, event + "/enable")
        return namesProcesses
    }

    /// Ends the tracing and removes the instance. What fails is left to the next observer.
    consuming func end() {
        try? Self.write("0", directory, "tracing_on")
        try? Self.write("0", directory, Self.event + "/enable")
        let directory = directory
        pipe.close()
        rmdir(directory)
    }

    private static func write(_ text: String, _ directory: String, _ file: String) throws(SystemError) {
        let path = "\(directory)/\(file)"
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(code: errno, attempt: "open", subject: path) }
        let file = FileDescriptor(adopting: descriptor)
        let bytes = Array((text.isEmpty ? "" : text + "\n").utf8)
        guard bytes.isEmpty || Glibc.write(file.number, bytes, bytes.count) == bytes.count else {
            throw SystemError(code: errno, attempt: "write \"\(text)\" to", subject: path)
        }
    }
}
