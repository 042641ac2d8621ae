import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol
import Reporting

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show who uses the SP, again and again.",
        discussion: """
            What each VM got in the last interval, the busiest first. On a terminal the picture is refreshed in place \
            until interrupted; elsewhere it is printed once.

            SP is the share of all time for which the SP worked for the VM, GRANTS and BUSY are turns granted and \
            refused a second, all three in the last interval. STATE, RESERVED, ENTITLED and ACCOUNT are those of \
            'spschedctl list'. SP time is booked when a turn ends: after one that was longer than the interval a share \
            may exceed 100 %.
            """)

    @Option(help: ArgumentHelp("Seconds between two pictures.", valueName: "s"))
    var interval = 2

    @Option(help: ArgumentHelp("End after so many pictures.", valueName: "n"))
    var count: Int?

    @OptionGroup var options: ManagerOptions

    func validate() throws {
        guard (1...3_600).contains(interval) else { throw ValidationError("--interval must be 1 to 3600") }
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() throws {
        let screen = Screen()
        var left = count ?? (screen.isTerminal && !options.json ? .max : 1)
        try options.ask { manager throws(ManagerClientError) in
            var before = try Snapshot(from: &manager)
            while left > 0, StandardOutput.isOpen {
                sleep(UInt32(interval))
                let now = try Snapshot(from: &manager)
                show(TopPicture(from: before, to: now), on: screen)
                before = now
                left -= 1
            }
        }
    }

    private func show(_ picture: TopPicture, on screen: Screen) {
        if options.json { return StandardOutput.print(Format.json(picture)) }
        screen.show(picture.text)
    }
}

/// What the daemon says at one moment.
struct Snapshot {
    let status: ManagerStatus
    let vms: [ManagedVM]

    init(status: ManagerStatus, vms: [ManagedVM]) {
        self.status = status
        self.vms = vms
    }

    init(from manager: inout ManagerClient) throws(ManagerClientError) {
        var vms: [ManagedVM] = []
        status = try manager.status()
        try manager.listVMs { vms.append($0) }
        self.vms = vms
    }
}

/// What happened between two moments.
struct TopPicture: Encodable {
    struct Row: Encodable {
        let vm: ManagedVM
        /// Of the interval: SP time as a share of all time, grants and refusals a second.
        let share: Double
        let grantsPerSecond: Double
        let refusalsPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case vm, share
            case grantsPerSecond = "grants_per_second"
            case refusalsPerSecond = "refusals_per_second"
        }
    }

    let status: ManagerStatus
    let seconds: Double
    /// SP time of the interval as a share of all time, by class.
    let shares: [String: Double]
    /// The busiest first.
    let rows: [Row]

    init(from before: Snapshot, to now: Snapshot) {
        status = now.status
        // By the daemon's own clock. After a restart everything is new.
        let isSameRun = before.status.epoch == now.status.epoch
        let uptime = now.status.uptimeNanoseconds - (isSameRun ? before.status.uptimeNanoseconds : 0)
        let elapsed = Double(max(uptime, 1))
        seconds = elapsed / 1e9
        let counters = (before: isSameRun ? before.status.counters : ManagedCounters(), now: now.status.counters)
        shares = [
            "launch": Double(counters.now.launchNanoseconds - counters.before.launchNanoseconds) / elapsed,
            "guest": Double(counters.now.guestNanoseconds - counters.before.guestNanoseconds) / elapsed,
            "platform": Double(counters.now.platformNanoseconds - counters.before.platformNanoseconds) / elapsed,
        ]
        let earlier = Dictionary(
            (isSameRun ? before.vms : []).map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
        rows = now.vms.map { vm in
            let then = earlier[Key(vm)]
            return Row(
                vm: vm, share: Double(vm.spTimeNanoseconds - (then?.spTimeNanoseconds ?? 0)) / elapsed,
                grantsPerSecond: Double(vm.grants - (then?.grants ?? 0)) * 1e9 / elapsed,
                refusalsPerSecond: Double(vm.refusals - (then?.refusals ?? 0)) * 1e9 / elapsed)
        }.sorted {
            ($1.share, $1.refusalsPerSecond, $0.vm.slot) < ($0.share, $0.refusalsPerSecond, $1.vm.slot)
        }
    }

    private struct Key: Hashable {
        let slot: Int
        let generation: Int

        init(_ vm: ManagedVM) {
            slot = vm.slot
            generation = vm.generation
        }
    }
}

extension ManagedVM {
    var refusals: Int64 { busies.values.reduce(0, +) }
}

// MARK: - For people

extension TopPicture {
    var text: String { head.joined(separator: "\n") + "\n\n" + table }

    private var head: [String] {
        let queues = status.queues
        return [
            "spschedd \(status.version)  SP \(status.device.rawValue)  \(status.registeredVMs) VMs"
                + (status.isDraining ? "  DRAINING" : "")
                + (status.launchOverload ? "  RESERVATIONS SUSPENDED" : ""),
            "SP time: launches \(percent(shares["launch"])), guests \(percent(shares["guest"])), platform "
                + percent(shares["platform"]) + "  of the last \(Format.fixed(seconds, 1)) s",
            "waiting: \(queues.launchSessions) launches, \(queues.guestRequests) guests, "
                + "\(queues.platformCommands) platform  turn: \(turn)",
        ]
    }

    private var turn: String {
        guard let turn = status.turn else { return "none" }
        return
            "\(turn.kind) of \(turn.vm.map(Format.printable) ?? "the daemon"), \(Format.duration(nanoseconds: turn.heldNanoseconds))"
    }

    private var table: String {
        guard !rows.isEmpty else { return "No VM is registered." }
        var table = Table([
            .left("NAME"), .left("STATE"), .right("SP"), .right("GRANTS"), .right("BUSY"), .right("RESERVED"),
            .right("ENTITLED"), .left("ACCOUNT"),
        ])
        for row in rows {
            table.append([
                Format.printable(row.vm.name.isEmpty ? row.vm.uuid : row.vm.name).cut(to: 40), row.vm.state.rawValue,
                percent(row.share), Format.fixed(row.grantsPerSecond, 1) + "/s",
                Format.fixed(row.refusalsPerSecond, 1) + "/s", Format.rate(millihertz: row.vm.reservationMillihertz),
                Format.rate(millihertz: row.vm.entitlementMillihertz), Format.printable(row.vm.account).cut(to: 40),
            ])
        }
        return table.text
    }

    private func percent(_ share: Double?) -> String { Format.fixed((share ?? 0) * 100, 1) + " %" }
}
