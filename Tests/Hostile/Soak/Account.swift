import Arbiter
import ManagerProtocol

/// One counter as the daemon and as its clients counted it.
struct Account: Codable {
    var counter: String
    var clients: Int64
    /// By how much the daemon may have counted more: answers on their way to VMs that died.
    var inFlight: Int64
    var daemon: Int64

    var isReconciled: Bool { (clients...clients + inFlight).contains(daemon) }

    var row: [String] { [counter, "\(clients)", "\(inFlight)", "\(daemon)", isReconciled ? "reconciled" : "WRONG"] }

    static let heading = ["counter", "clients", "in flight", "daemon", ""]
}

extension Account {
    /// The daemon's totals, once every VM is gone. Nobody was refused before the start.
    static func totals(_ vms: VMsAnswer, _ daemon: ManagedCounters, since start: ManagedCounters) -> [Account] {
        let sums = vms.sums
        let grants = sums.guestGrants + sums.launchGrants
        var accounts = [
            Account(
                counter: "grants", clients: grants, inFlight: vms.turnsInFlight, daemon: daemon.grants - start.grants),
            // An answer on its way was one or the other.
            Account(
                counter: "grants and refusals", clients: grants + sums.busies.reduce(0, +), inFlight: vms.turnsInFlight,
                daemon: daemon.grants - start.grants + daemon.busies.values.reduce(0, +)),
            Account(
                counter: "launches", clients: sums.launchesBegun, inFlight: vms.launchesInFlight,
                daemon: daemon.launches - start.launches),
            // Nobody reads REVOKED of a turn that was held at a death.
            Account(
                counter: "overdue turns", clients: sums.revoked, inFlight: vms.heldAtDeath,
                daemon: daemon.overdueTurns - start.overdueTurns),
            Account(counter: "protocol errors", clients: 0, inFlight: 0, daemon: daemon.protocolErrors),
        ]
        for reason in BusyReason.allCases {
            let clients = sums.busies[Int(reason.rawValue)], counted = daemon.busies[reason.managerName] ?? 0
            guard clients > 0 || counted > 0 else { continue }
            accounts.append(
                Account(
                    counter: "refusals: \(reason.managerName)", clients: clients, inFlight: vms.turnsInFlight,
                    daemon: counted))
        }
        return accounts
    }

    /// Each VM's own counters, while it is still registered and quiet. The accounts that are wrong; a VM that only one
    /// side knows is one.
    static func wrong(among vms: [VMsAnswer.VM], _ daemon: [ManagedVM]) -> [Account] {
        let listed = Dictionary(
            daemon.filter { $0.connections > 0 }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var accounts = [
            Account(
                counter: "VMs with a connection", clients: Int64(vms.count), inFlight: 0, daemon: Int64(listed.count))
        ]
        for vm in vms {
            guard let entry = listed[vm.name] else {
                accounts.append(Account(counter: "\(vm.name): listed", clients: 1, inFlight: 0, daemon: 0))
                continue
            }
            accounts += all(of: vm, entry)
        }
        return accounts.filter { !$0.isReconciled }
    }

    private static func all(of vm: VMsAnswer.VM, _ entry: ManagedVM) -> [Account] {
        let counts = vm.counts
        return [
            Account(
                counter: "\(vm.name): guest grants", clients: counts.guestGrants, inFlight: vm.turnsInFlight,
                daemon: entry.guestGrants),
            Account(
                counter: "\(vm.name): launch grants", clients: counts.launchGrants, inFlight: vm.turnsInFlight,
                daemon: entry.grants - entry.guestGrants),
            Account(
                counter: "\(vm.name): refusals", clients: counts.busies.reduce(0, +), inFlight: vm.turnsInFlight,
                daemon: entry.busies.values.reduce(0, +)),
            Account(
                counter: "\(vm.name): launches", clients: counts.launchesBegun, inFlight: vm.launchesInFlight,
                daemon: entry.launches),
        ]
    }
}
