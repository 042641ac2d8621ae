import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the registered VMs: what each was promised and what it got.")

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
