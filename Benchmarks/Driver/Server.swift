import Glibc
import LinuxIO

/// What the daemon is compared with: the C programs in Benchmarks/Floors.
enum Floor: String {
    case echo
    case oneTurn = "one-turn"
}

/// A server under measurement: a floor or the daemon. It ends with the last reference.
final class Server {
    let path: String
    /// Of the daemon: where operators connect.
    let managerPath: String
    let program: Program
    /// From the start of the process to its READY=1 or, of a floor, to its line.
    let readyAfter: Int64

    private init(path: String, managerPath: String = "", program: Program, readyAfter: Int64) {
        self.path = path
        self.managerPath = managerPath
        self.program = program
        self.readyAfter = readyAfter
    }

    static func start(
        _ floor: Floor, in workshop: borrowing Workshop, on processor: Int?
    ) throws(BenchmarkProblem) -> Server {
        let path = workshop.fresh(floor.rawValue)
        let command = try workshop.pinned(workshop.floor(floor), [path], to: processor)
        let began = Clock.monotonic()
        let program = try Program(command.program, command.arguments, errors: workshop.fresh("floor.log"))
        try program.wait(for: "listening")
        return Server(path: path, program: program, readyAfter: Clock.monotonic() - began)
    }

    /// - Parameter settings: TOML beside `DaemonSettings.base`.
    static func startDaemon(
        in workshop: borrowing Workshop, on processor: Int?, settings: String = "", environment: [String] = []
    ) throws(BenchmarkProblem) -> Server {
        let path = workshop.fresh("vmm")
        let notify = workshop.fresh("notify")
        let listener: UnixListener
        do { listener = try UnixListener(path: notify, kind: .datagram) } catch { throw .system(error) }
        let manager = workshop.fresh("manager")
        let configuration = try workshop.write(DaemonSettings.base + settings, to: "spschedd.toml")
        let command = try workshop.pinned(
            workshop.daemon,
            [
                "--config", configuration, "--socket", path, "--manager-socket", manager,
                "--device", workshop.fresh("no-device"), "--device-socket", workshop.fresh("no-probe"),
            ], to: processor)
        let began = Clock.monotonic()
        let program = try Program(
            command.program, command.arguments, environment: environment + ["NOTIFY_SOCKET=\(notify)"],
            errors: workshop.fresh("spschedd.log"))
        try awaitReady(listener, program)
        return Server(
            path: path, managerPath: manager, program: program, readyAfter: Clock.monotonic() - began)
    }

    private static func awaitReady(_ listener: borrowing UnixListener, _ program: Program) throws(BenchmarkProblem) {
        var members = [listener.descriptor.number, program.endDescriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while true {
            let count = poll(&members, nfds_t(members.count), Program.patience)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .silent(program: "spschedd", expected: "READY=1", said: program.said) }
            guard members[0].revents != 0 else { throw .ended(program: "spschedd", said: program.said) }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let length = recv(listener.descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            let lines = String(decoding: buffer[..<max(0, length)], as: UTF8.self).split(separator: "\n")
            if lines.contains("READY=1") { return }
        }
    }

    /// Ends it. A server that had ended before, or ends badly, spoils what was measured.
    func stop() throws(BenchmarkProblem) {
        guard program.isRunning else { throw .ended(program: program.name, said: program.said) }
        try program.end(by: SIGTERM)
    }

    // MARK: Looking at it

    /// CPU time of all its threads so far, in nanoseconds: /proc/PID/task/TID/schedstat.
    func processorTime() throws(BenchmarkProblem) -> Int64 {
        var sum: Int64 = 0
        for thread in Self.entries(of: "/proc/\(program.pid)/task") {
            let text = try SmallFile.read("/proc/\(program.pid)/task/\(thread)/schedstat")
            sum += text.split(separator: " ").first.flatMap { Int64($0) } ?? 0
        }
        return sum
    }

    /// A line of /proc/PID/status, in MiB.
    func memory(_ name: String) throws(BenchmarkProblem) -> Double {
        let status = try SmallFile.read("/proc/\(program.pid)/status")
        guard let kibibytes = Machine.field(name, of: status)?.leadingNumber else {
            throw .unexpected("/proc/\(program.pid)/status has no \(name): the daemon has ended, or this is no Linux")
        }
        return Double(kibibytes) / 1_024
    }

    private static func entries(of path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // SAFETY: the name is a C string inside the entry, which is valid until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.first?.isNumber == true { names.append(name) }
        }
        return names
    }
}
