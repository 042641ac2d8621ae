import HostileSupport

/// What a soak came to.
struct Report: Codable {
    var seconds: Int
    var vms: Int
    /// Of resident memory, as a share.
    var growth: Double
    var residentAfterStartKiB, residentAtEndKiB: Int
    /// The daemon before the first VM and after the last.
    var baseline, atEnd: ProcessFigures
    /// VMs whose own counters were compared with the daemon's list.
    var vmsCompared: Int
    var totals: [Account]
    var clients: VMsAnswer
    /// One a second.
    var samples: [ProcessFigures]
    var complaints: [String] = []

    var text: String {
        var counters = Table(heading: Account.heading)
        for account in totals { counters.add(account.row) }
        var held = Table(heading: ["", "resident KiB", "own KiB", "descriptors", "timers", "threads"])
        for (name, figures) in [("before the first VM", baseline), ("after the last", atEnd)] {
            held.add([
                name, "\(figures.residentKiB)", "\(figures.anonymousKiB)", "\(figures.descriptors)",
                "\(figures.timers)", "\(figures.threads)",
            ])
        }
        let sums = clients.sums
        return """
            \(seconds) s, \(vms) VMs at a time: \(sums.registered) registered and \(sums.resumed) resumed; \
            \(clients.deathsClean) left, \(clients.deathsAbrupt) vanished, \(clients.deathsKilled) were killed

            \(counters.text)

            the own counters of \(vmsCompared) VMs were compared with ListVMs

            \(held.text)

            resident KiB once settled \(residentAfterStartKiB), at the end \(residentAtEndKiB): \
            growth \(Double(Int(growth * 10_000)) / 100) %
            """
    }
}
