import Arbiter
import LinuxIO
import ManagerProtocol
import VMMProtocol

/// Figures for programs. None divides the capacity among the VMs, which takes time for every one of them.
extension Daemon {
    func hostFigures() -> HostFigures {
        HostFigures(
            status: status(), connections: connections.count, connectionsMax: connections.capacity,
            accounts: accounts.count, operators: manager.count, watchers: manager.watchers,
            registrations: counters.registrations, rejections: counters.rejections.byName,
            connectionsRefused: counters.connectionsRefused, journalDropped: logger.dropped)
    }

    func figures(afterSlot slot: Int?) -> VMFigures? {
        guard let record = vms.first(from: (slot ?? -1) + 1),
            let standing = arbiter.standing(of: record.vm, now: now)
        else { return nil }
        let counters = standing.counters
        return VMFigures(
            slot: Int(record.vm.slot), uuid: "\(record.uuid)",
            name: record.name.isEmpty ? "\(record.uuid)" : "\(record.name)", account: record.account.key.text,
            reservationMillihertz: standing.reservation.millihertz,
            grants: Int64(counters.guestTurns + counters.launchTurns), guestGrants: Int64(counters.guestTurns),
            refusals: record.busies.sum, spTimeNanoseconds: (counters.guestService + counters.launchService).count,
            launches: Int64(counters.launches), overdueTurns: Int64(counters.overdueTurns),
            unasked: unasked(by: record))
    }
}

/// Registrations that were not admitted, by code.
struct RejectionCounts {
    private var counts: [ErrorCode: Int64] = [:]

    mutating func add(_ code: ErrorCode) { counts[code, default: 0] += 1 }

    var byName: [String: Int64] {
        Dictionary(uniqueKeysWithValues: counts.map { ("\($0.key)", $0.value) })
    }
}
