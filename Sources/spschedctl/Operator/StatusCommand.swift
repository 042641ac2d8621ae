import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the daemon, the device, and what is promised.",
        discussion: """
            A line for each thing:

              daemon     version, for how long it runs, and the epoch, which names this run
              settings   the files that it goes by, and how often it was reloaded
              device     alive, absent, stuck (a status command did not come back) or dead
              VMs        registered, of how many there may be
              capacity   SP time in each second that may be promised, and launches' part
              reserved   SP time a second that VMs were promised, and the largest
                         reservation that one more VM could get
              turn       what has the SP now: the command, whose it is, and since when
              waiting    what waits for a turn now
              granted    turns and launches since the start, and the SP time that they took
              refused    requests that were told to come back later (BUSY), by reason
              bound      how long a launch takes at most once no other is before it (P1)
              taken up   connections and VMs that came over from the daemon before
              attention  what is not as it should be; no such line: all is well

            'spschedctl explain' tells what the reasons mean for a VM; section 8.2 of protocol.md \
            lists them.
            """)

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let status = try options.ask { manager throws(ManagerClientError) in try manager.status() }
        StandardOutput.print(options.json ? Format.json(status) : StatusText(status).text)
    }
}

/// `status` for people: one line for each thing that an operator asks about.
struct StatusText {
    let status: ManagerStatus

    init(_ status: ManagerStatus) { self.status = status }

    var text: String {
        lines.map { "\($0.0.paddedRight(to: 12))\($0.1)" }.joined(separator: "\n")
    }

    private var lines: [(String, String)] {
        [
            ("daemon", daemon), ("settings", settings), ("device", device),
            ("VMs", "\(status.registeredVMs) of \(status.registeredVMsMax)"),
            ("capacity", capacity), ("reserved", reserved), ("turn", turn), ("waiting", waiting), ("granted", granted),
            ("refused", refused), ("bound", bound),
        ] + (takenUp.map { [("taken up", $0)] } ?? []) + warnings.map { ("attention", $0) }
    }

    private var daemon: String {
        let uptime = Format.duration(nanoseconds: status.uptimeNanoseconds)
        return "spschedd \(status.version), up \(uptime), epoch \(status.epoch)"
    }

    private var settings: String {
        let configuration = status.configuration
        let files = configuration.files.isEmpty ? "the defaults" : configuration.files.joined(separator: ", ")
        return files + (configuration.reloads > 0 ? "; reloaded \(configuration.reloads) times" : "")
    }

    private var device: String {
        "\(status.device.rawValue), \(status.devicePath)" + (status.deviceDetail.map { ": \($0)" } ?? "")
    }

    private var capacity: String {
        let capacity = status.capacity
        return "\(Format.duration(nanoseconds: capacity.capacityNanoseconds)) of SP time a second, "
            + "\(Format.duration(nanoseconds: capacity.launchReserveNanoseconds)) of it for launches"
    }

    private var reserved: String {
        let capacity = status.capacity
        let measured = capacity.reportMeasuredNanoseconds.map { ", \(Format.duration(nanoseconds: $0)) seen" } ?? ""
        return "\(Format.duration(nanoseconds: capacity.reservedNanoseconds)) a second; "
            + "\(Format.rate(millihertz: capacity.reservableMillihertz)) left "
            + "(a report is planned at \(Format.duration(nanoseconds: capacity.reportPlanningNanoseconds))\(measured))"
    }

    private var turn: String {
        guard let turn = status.turn else { return "none" }
        return
            "\(turn.kind) of \(turn.vm.map(Format.printable) ?? "the daemon"), for \(Format.duration(nanoseconds: turn.heldNanoseconds))"
            + (turn.isOverdue ? ", overdue" : "")
    }

    private var waiting: String {
        let queues = status.queues
        return "\(queues.launchSessions) launch sessions, \(queues.guestRequests) guest requests, "
            + "\(queues.platformCommands) platform commands"
    }

    private var granted: String {
        let counters = status.counters
        return "\(counters.grants) turns, \(counters.launches) launches; SP time: "
            + "launches \(Format.duration(nanoseconds: counters.launchNanoseconds)), "
            + "guests \(Format.duration(nanoseconds: counters.guestNanoseconds)), "
            + "platform \(Format.duration(nanoseconds: counters.platformNanoseconds))"
    }

    /// How VMs came through restarts of the daemon; empty if there was none.
    private var takenUp: String? {
        let counters = status.counters
        guard counters.adoptedConnections + counters.resumedRegistrations > 0 else { return nil }
        return "\(counters.adoptedConnections) connections of the daemon before, "
            + "\(counters.resumedRegistrations) VMs by their token"
    }

    /// Promise P1, with what is known of those who do not ask.
    private var bound: String {
        guard let bound = status.launchBound else { return "unknown" }
        guard let nanoseconds = bound.boundNanoseconds else { return "none for launches" }
        let unasked =
            bound.unaskedNanoseconds > 0
            ? ", \(Format.duration(nanoseconds: bound.unaskedNanoseconds)) of it for those who do not ask" : ""
        return "\(Format.duration(nanoseconds: nanoseconds)) for a launch of \(bound.pages) pages, first in line, "
            + "and its VMM's own pauses\(unasked)"
    }

    private var refused: String { Self.busies(status.counters.busies) }

    static func busies(_ busies: [String: Int64]) -> String {
        let reasons = busies.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return reasons.isEmpty ? "0" : reasons.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private var warnings: [String] {
        var warnings: [String] = []
        if status.device != .alive { warnings.append("the device is \(status.device.rawValue): see above") }
        if status.isDraining { warnings.append("draining: nothing new is admitted or served") }
        if status.launchOverload {
            warnings.append("launches use more than their reserve: reservations are suspended")
        }
        let configuration = status.configuration
        if let failure = configuration.failure {
            warnings.append("the last reload was refused, the configuration before stays: \(failure)")
        }
        if !configuration.restartNeeded.isEmpty {
            warnings.append("a restart would apply \(configuration.restartNeeded.joined(separator: ", "))")
        }
        let counters = status.counters
        if counters.overdueTurns > 0 { warnings.append("\(counters.overdueTurns) turns were overdue") }
        if counters.protocolErrors > 0 {
            warnings.append("\(counters.protocolErrors) connections were closed for breaking the protocol")
        }
        return warnings + observed
    }

    /// What the observer has to say.
    private var observed: [String] {
        guard let observation = status.observation else { return [] }
        var lines: [String] = []
        if observation.silentNanoseconds > Self.silenceMax {
            lines.append(
                "the observer has been silent for \(Format.duration(nanoseconds: observation.silentNanoseconds))")
        }
        if observation.bypassing > 0 {
            lines.append("\(observation.bypassing) processes send requests for which nobody asks:")
        }
        lines += observation.processes.filter(\.isBypassing).prefix(Self.processesMax).map { process in
            let vm = process.vm.map { ", VM \"\($0)\"" } ?? ""
            return "  \(process.name) (pid \(process.pid)\(vm)): \(process.unasked) of \(process.plain) plain and "
                + "\(process.extended) extended"
        }
        if observation.lost > 0 { lines.append("\(observation.lost) requests were not counted: the trace lost them") }
        return lines
    }

    /// It reports each second.
    private static let silenceMax: Int64 = 10_000_000_000
    /// What a person reads; `--json` has more.
    private static let processesMax = 8
}
