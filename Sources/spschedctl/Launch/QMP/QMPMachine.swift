import Arbiter
import Glibc
import LinuxIO
import ManagerProtocol

/// A VM that QEMU was told to start with `-S`: its launch commands are issued at the first `cont`.
struct QMPMachine: PausedMachine, ~Copyable {
    private var monitor: QMPConnection
    private let uuid: MachineUUID?
    private let name: String?
    /// For each answer but that to `cont`.
    private let patience: Nanoseconds

    /// - Parameters:
    ///   - uuid: the VM's, as it is expected; `nil`: whatever QEMU says.
    ///   - name: for people; `nil`: what QEMU says.
    init(
        path: String, uuid: MachineUUID?, name: String?, patience: Nanoseconds, signals: LaunchSignals
    ) throws(LaunchProblem) {
        self.uuid = uuid
        self.name = name
        self.patience = patience
        do { monitor = try Self.connect(path, patience, signals) } catch { throw Self.before(error) }
    }

    /// QEMU listens a moment after it was started: until then it is tried again.
    private static func connect(
        _ path: String, _ patience: Nanoseconds, _ signals: LaunchSignals
    ) throws(MonitorFault) -> QMPConnection {
        let deadline = BootClock.now() + patience
        while true {
            do throws(MonitorFault) { return try QMPConnection(path: path, signals: signals) } catch {
                guard case .unreachable(let reason) = error, [ENOENT, ECONNREFUSED].contains(reason.code),
                    BootClock.now() < deadline
                else { throw error }
            }
            _ = Readable.first(of: [signals.descriptor], milliseconds: LaunchLimits.knockMilliseconds)
            if let signal = signals.take() { throw .interrupted(signal: signal) }
        }
    }

    mutating func identify() throws(LaunchProblem) -> MachineIdentity {
        do {
            try monitor.begin(patience: patience)
            let found = try uuidOfQEMU()
            let name = try name ?? nameInQEMU()
            return MachineIdentity(uuid: try agreed(found), name: name)
        } catch let problem as LaunchProblem {
            throw problem
        } catch let fault as MonitorFault {
            throw Self.before(fault)
        } catch {
            throw .monitor(.garbage("\(error)"))
        }
    }

    mutating func prepare() throws(LaunchProblem) {
        let status: Status
        do { status = try self.status() } catch { throw Self.before(error) }
        guard status.name == "prelaunch" else {
            throw .unsuitable(
                status.isRunning
                    ? "the VM runs already, launched without a turn: start QEMU with -S"
                    : "QEMU's VM is '\(status.name)', not 'prelaunch': a VM is launched once, started with -S")
        }
    }

    var newsDescriptor: Int32? { monitor.descriptor }

    mutating func readNews() throws(LaunchProblem) {
        do { try monitor.readEvents() } catch { throw Self.before(error) }
        guard monitor.resumed == nil else {
            throw .unsuitable("somebody else let the VM run while it waited for its turn: it was launched without one")
        }
    }

    mutating func resume(patience: Nanoseconds) throws(LaunchProblem) {
        do { try monitor.send("cont") } catch { throw Self.before(error) }
        do {
            _ = try monitor.result(of: "cont", patience: patience)
        } catch .refused(_, let text) {
            throw .failed("QEMU refused 'cont': \(text)")
        } catch .interrupted(let signal) {
            throw .abandoned(signal: signal)
        } catch {
            // QEMU exits when a launch command fails.
            if case .closed = error, monitor.peerEnds() {
                throw .failed("QEMU ended while it launched the VM. Its own messages say why")
            }
            throw .lost("\(error). The VM was told to run, and may still be launching")
        }
    }

    mutating func confirm() throws(LaunchProblem) -> RunningMachine {
        let status: Status
        do {
            status = try self.status()
        } catch .closed where monitor.resumed != nil {
            // A guest that had little to do.
            return RunningMachine(state: "ended", resumedAt: monitor.resumed?.happenedAt)
        } catch .interrupted(let signal) {
            throw .abandoned(signal: signal)
        } catch {
            throw .lost("QEMU says that it let the VM run, and no more: \(error)")
        }
        guard status.isRunning || monitor.resumed != nil else {
            throw .failed("QEMU answered 'cont', but its VM is '\(status.name)' and was never let run")
        }
        return RunningMachine(state: status.name, resumedAt: monitor.resumed?.happenedAt)
    }
}

extension QMPMachine {
    private struct Status {
        let name: String
        let isRunning: Bool
    }

    private mutating func status() throws(MonitorFault) -> Status {
        let answer = try monitor.execute("query-status", patience: patience)
        guard case .string(let name)? = answer["status"], case .bool(let isRunning)? = answer["running"] else {
            throw .garbage("'query-status' was answered without a status")
        }
        return Status(name: String.foreign(name), isRunning: isRunning)
    }

    private mutating func uuidOfQEMU() throws(MonitorFault) -> MachineUUID {
        let answer = try monitor.execute("query-uuid", patience: patience)
        guard case .string(let text)? = answer["UUID"], let uuid = MachineUUID(text) else {
            throw .garbage("'query-uuid' was answered without a UUID")
        }
        return uuid
    }

    private mutating func nameInQEMU() throws(MonitorFault) -> String {
        let answer = try monitor.execute("query-name", patience: patience)
        guard let name = answer["name"] else { return "" }
        guard case .string(let text) = name else { throw .garbage("'query-name' was answered without a name") }
        return text
    }

    private func agreed(_ found: MachineUUID) throws(LaunchProblem) -> MachineUUID {
        guard let uuid else {
            guard found != .none else { throw .unsuitable("QEMU was started without -uuid: say --uuid") }
            return found
        }
        guard found == uuid || found == .none else {
            throw .unsuitable("QEMU's VM there is \(found.text), not \(uuid.text): is it the right monitor?")
        }
        return uuid
    }

    private static func before(_ fault: MonitorFault) -> LaunchProblem {
        if case .interrupted(let signal) = fault { return .interrupted(signal: signal) }
        return .monitor(fault)
    }
}
