import FoundationEssentials
import Glibc
import LinuxIO

/// The servers of one scene: the emulated SP and, where the policy wants it, spschedd with its device process.
///
/// All of them end with this value, however that comes about.
struct Stage: ~Copyable {
    let directory: String
    private var servers: [Server] = []

    var emulatorSocket: String { "\(directory)/sp.sock" }
    var vmmSocket: String { "\(directory)/vmm.sock" }
    private var traceFile: String { "\(directory)/trace.csv" }

    /// Starts what `policy` needs, and returns when all of it is ready.
    init(in directory: String, policy: Policy, seed: UInt64) throws(DemoError) {
        self.directory = directory
        let notify = try NotifySocket(path: "\(directory)/notify.sock")
        try start(
            "sp-emulator", ["--socket", emulatorSocket, "--trace", traceFile, "--seed", "\(seed)"], notify)
        guard policy == .spschedd else { return }
        let deviceSocket = "\(directory)/device.sock"
        try start("spschedd-device", ["--device", emulatorSocket, "--socket", deviceSocket], notify)
        try writeConfiguration()
        try start(
            "spschedd",
            [
                "--config", configurationFile, "--device", emulatorSocket, "--device-socket", deviceSocket,
                "--socket", vmmSocket, "--manager-socket", "\(directory)/manager.sock",
            ], notify)
    }

    private var configurationFile: String { "\(directory)/spschedd.toml" }

    /// Nothing set: the demo shows the defaults, and no file of this host may change them.
    private func writeConfiguration() throws(DemoError) {
        let file = creat(configurationFile, 0o600)
        guard file >= 0 else {
            throw .system(SystemError(code: errno, attempt: "create", subject: configurationFile))
        }
        Glibc.close(file)
    }

    private mutating func start(
        _ program: String, _ arguments: [String], _ notify: borrowing NotifySocket
    ) throws(DemoError) {
        let server = try Server(program, arguments, notifying: notify.path, log: "\(directory)/\(program).log")
        servers.append(server)
        let patience = Int32(DemoLimits.startPatience.count / 1_000_000)
        guard notify.waitReady(orEndOf: server.endDescriptor, milliseconds: patience) else {
            throw .failed(what: "\(program) did not start", log: server.lastWords)
        }
    }

    /// For an event loop: readable once the server has ended, which it should not.
    var endDescriptors: [Int32] { servers.map(\.endDescriptor) }

    func ended(server index: Int) -> DemoError {
        .failed(what: "\(servers[index].program) ended unexpectedly", log: servers[index].lastWords)
    }

    /// Ends the servers, last started first, and reads who held the SP.
    mutating func close() -> [TraceRun] {
        while let server = servers.popLast() { server.stop() }
        guard let csv = try? String(contentsOfFile: traceFile, encoding: .utf8) else { return [] }
        return TraceRun.runs(csv: csv)
    }
}

/// One server process, and what it wrote.
private final class Server {
    let program: String
    private let log: String
    private var process: ChildProcess?

    init(_ program: String, _ arguments: [String], notifying notify: String, log: String) throws(DemoError) {
        self.program = program
        self.log = log
        let path = try Programs.path(of: program)
        let number = creat(log, 0o600)
        guard number >= 0 else { throw .system(SystemError(code: errno, attempt: "create", subject: log)) }
        let output = FileDescriptor(adopting: number)
        do {
            let nothing = try FileDescriptor.openReadOnly("/dev/null")
            process = try ChildProcess.spawn(
                path, arguments, environment: Self.environment(notifying: notify),
                descriptors: [nothing.number, output.number, output.number])
        } catch {
            throw .system(error)
        }
    }

    var endDescriptor: Int32 { process?.endDescriptor ?? -1 }

    func stop() {
        process?.send(signal: SIGTERM)
        _ = process.take()?.wait(milliseconds: DemoLimits.stopPatienceMilliseconds)
    }

    /// The end of its log.
    var lastWords: String {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return "" }
        return text.split(separator: "\n").suffix(8).map { "  \(program): \($0)" }.joined(separator: "\n")
    }

    /// Ours, without what a service manager told us about ourselves.
    private static func environment(notifying notify: String) -> [String] {
        let ours = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]
        return ChildProcess.currentEnvironment().filter { variable in
            !ours.contains { variable.hasPrefix("\($0)=") }
        } + ["NOTIFY_SOCKET=\(notify)"]
    }
}

/// The programs of a build stand beside each other; installed, they are where each kind belongs.
enum Programs {
    static let own = "/proc/self/exe"

    static func path(of program: String) throws(DemoError) -> String {
        let directory = try directory()
        let places = ["", "../sbin/", "../libexec/"].map { "\(directory)/\($0)\(program)" }
        guard let path = places.first(where: { access($0, X_OK) == 0 }) else {
            throw .missing(program: program, directory: directory)
        }
        return path
    }

    static func ownPath() throws(DemoError) -> String {
        // SAFETY: realpath allocates the path that it returns, which is freed here.
        guard let path = realpath(own, nil) else {
            throw .system(SystemError(code: errno, attempt: "read", subject: own))
        }
        defer { free(path) }
        return String(cString: path)
    }

    private static func directory() throws(DemoError) -> String {
        let path = try ownPath()
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
