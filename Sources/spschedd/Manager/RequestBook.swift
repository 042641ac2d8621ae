import Arbiter
import ManagerProtocol

/// What the observer has told: which processes' guests send requests for which nobody asks. For display alone: nothing
/// is granted or refused by it.
struct RequestBook {
    /// A VM that is registered from a process, and for how many requests it has asked since it was.
    struct Asker: Equatable {
        let vm: VMID
        let asked: Int64
    }

    struct Entry: Equatable {
        let pid: Int32
        var name: String
        var vm: VMID?
        var plain: Int64 = 0
        var extended: Int64 = 0
        /// Requests for which nobody asked. It falls only when a VM is registered from the process.
        var unasked: Int64 { plain + extendedAlone + extendedBeyond }
        /// Extended ones of a process that no VM was registered from.
        var extendedAlone: Int64 = 0
        /// Extended ones beyond those for which the VM asked.
        var extendedBeyond: Int64 = 0
        /// What had been seen and asked for when the VM was first seen in this process.
        var extendedBefore: Int64 = 0
        var askedBefore: Int64 = 0
        var grewAt: Instant
        var seenAt: Instant
    }

    /// Of the last report; `nil` if there was none.
    private(set) var reportedAt: Instant?
    private(set) var lost: Int64 = 0
    private var entries: [Int32: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }

    subscript(pid: Int32) -> Entry? { entries[pid] }

    /// - Parameter asker: the VM that is registered from a process.
    mutating func note(_ report: ObservedReport, now: Instant, asker: (Int32) -> Asker?) {
        reportedAt = now
        lost = report.lost
        for process in report.processes { note(process, now: now, asker(process.pid)) }
        entries = entries.filter { now - $0.value.seenAt <= DaemonLimits.observationMemory }
        while entries.count > DaemonLimits.observedProcesses, let oldest = entries.values.min(by: Self.isOlder) {
            entries[oldest.pid] = nil
        }
    }

    private mutating func note(_ process: ObservedProcess, now: Instant, _ asker: Asker?) {
        var entry = entries[process.pid] ?? Entry(pid: process.pid, name: process.name, grewAt: now, seenAt: now)
        // Another observer, or another process of that number: it begins anew.
        if process.plain < entry.plain || process.extended < entry.extended {
            entry = Entry(pid: process.pid, name: process.name, grewAt: now, seenAt: now)
        }
        let before = entry.unasked
        if entry.vm != asker?.vm {
            // What came before nobody could ask for: the VM may have been with another daemon, or none.
            if asker != nil { entry.extendedAlone = 0 }
            entry.vm = asker?.vm
            entry.extendedBefore = process.extended
            entry.askedBefore = asker?.asked ?? 0
        }
        if let asker {
            // The guest's exit is seen before its VMM asks: one may be on its way.
            let seen = process.extended - entry.extendedBefore - 1
            entry.extendedBeyond = max(entry.extendedBeyond, seen - (asker.asked - entry.askedBefore))
        } else {
            entry.extendedAlone += process.extended - entry.extended
        }
        entry.name = process.name
        entry.plain = process.plain
        entry.extended = process.extended
        entry.seenAt = now
        if entry.unasked > before { entry.grewAt = now }
        entries[process.pid] = entry
    }

    /// Whether it has sent a request for which nobody asked, lately.
    func isBypassing(_ entry: Entry, at now: Instant) -> Bool {
        entry.unasked > 0 && now - entry.grewAt <= DaemonLimits.bypassingFor
    }

    func bypassing(at now: Instant) -> Int { entries.values.count { isBypassing($0, at: now) } }

    /// Those with requests for which nobody asked, the latest first.
    func unaskedFirst() -> [Entry] {
        entries.values.filter { $0.unasked > 0 }.sorted { Self.isOlder($1, $0) }
    }

    private static func isOlder(_ left: Entry, _ right: Entry) -> Bool {
        (left.grewAt, left.pid) < (right.grewAt, right.pid)
    }
}
