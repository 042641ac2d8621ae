import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the registered VMs: what each was promised and what it got.",
        discussion: """
            The columns:

              NAME      what its VMM calls it, else its UUID
              STATE     idle: asks for nothing. waiting: for a turn. serving: has the turn.
                        launching: its launch is open. refused: was told to come back, and is
                        expected. detached: has no connection, and is forgotten after
                        clients.linger
              ACCOUNT   the user id of its VMM, and its security label
              RESERVED  requests (reports) a second that it is promised
              LIMIT     the most a second that it may use; -: none
              WEIGHT    its share of what nobody has reserved, beside the others'
              ENTITLED  requests a second that it would get if every VM asked all the time
              GOT       requests a second that it got on average since it registered
              REPORTS   its guest's requests that were granted since then
              LAUNCHES  its launches
              SP TIME   for how long the SP worked for it
              UNASKED   requests of its guest that passed the daemon by; -: nobody
                        observes (spschedd-observer)
              REFUSED   how often it was told to come back later (BUSY), by reason
            """)

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let vms = try options.ask { manager throws(ManagerClientError) in
            var vms: [ManagedVM] = []
            try manager.listVMs { vms.append($0) }
            return vms
        }
        StandardOutput.print(options.json ? Format.json(vms) : ListText(vms).text)
    }
}

/// `list` for people.
struct ListText {
    let vms: [ManagedVM]

    init(_ vms: [ManagedVM]) { self.vms = vms }

    var text: String {
        guard !vms.isEmpty else { return "No VM is registered." }
        var table = Table([
            .left("NAME"), .left("STATE"), .left("ACCOUNT"), .right("RESERVED"), .right("LIMIT"), .right("WEIGHT"),
            .right("ENTITLED"), .right("GOT"), .right("REPORTS"), .right("LAUNCHES"), .right("SP TIME"),
            .right("UNASKED"), .left("REFUSED"),
        ])
        for vm in vms { table.append(cells(of: vm)) }
        return table.text
    }

    private func cells(of vm: ManagedVM) -> [String] {
        [
            vm.name.isEmpty ? vm.uuid : Format.printable(vm.name), vm.state.rawValue, Format.printable(vm.account),
            Format.rate(millihertz: vm.reservationMillihertz), vm.limitMillihertz.map(Format.rate) ?? "-",
            "\(vm.weight)", Format.rate(millihertz: vm.entitlementMillihertz), got(vm), "\(vm.guestGrants)",
            "\(vm.launches)", Format.duration(nanoseconds: vm.spTimeNanoseconds),
            vm.unasked.map { "\($0)" } ?? "-", StatusText.busies(vm.busies),
        ]
    }

    /// The mean since the registration.
    private func got(_ vm: ManagedVM) -> String {
        guard vm.registeredNanoseconds > 0 else { return "-" }
        return Format.fixed(Double(vm.guestGrants) * 1e9 / Double(vm.registeredNanoseconds), 2) + "/s"
    }
}
