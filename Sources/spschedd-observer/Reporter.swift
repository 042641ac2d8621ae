import KVMTrace
import LinuxIO
import ManagerProtocol

/// Tells the daemon what was seen. One that is absent is told later: counts are since the observer's start.
struct Reporter: ~Copyable {
    private let path: String
    private var client: ManagerClient?
    /// So that trouble is told once, and its end.
    private var isInTrouble = false

    init(path: String) { self.path = path }

    mutating func report(_ entries: [RequestTally.Entry], lost: UInt64) {
        let processes = entries.map {
            ObservedProcess(pid: $0.process, name: $0.name, plain: $0.plain, extended: $0.extended)
        }
        do throws(ManagerClientError) {
            // Nothing to tell is told too: the daemon then knows that somebody looks.
            var rest = processes[...]
            repeat {
                let part = rest.prefix(ObserverLimits.processesPerCall)
                rest = rest.dropFirst(part.count)
                try send(ObservedReport(processes: Array(part), lost: Int64(clamping: lost)))
            } while !rest.isEmpty
            if isInTrouble { Notice.tell("the daemon takes reports again") }
            isInTrouble = false
        } catch {
            client = nil
            if !isInTrouble { Notice.tell("the daemon was not told: \(error)") }
            isInTrouble = true
        }
    }

    private mutating func send(_ report: ObservedReport) throws(ManagerClientError) {
        if client == nil {
            client = try ManagerClient.connect(to: path, patienceMilliseconds: ObserverLimits.patienceMilliseconds)
        }
        try client?.noteRequests(report)
    }
}
