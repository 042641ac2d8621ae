import Arbiter

/// Refusals of one VM for one reason, shortly after one another.
struct Refusal {
    let reason: BusyReason
    /// Of the last of them.
    var holder: VMID?
    var retryAfter: Nanoseconds
    let since: Instant
    var last: Instant
    var times: Int64
}

/// The last refusals of every VM, for whoever asks why. Of a fixed size: noting one allocates nothing.
struct RefusalLog {
    private var entries: [Refusal?]
    /// How many were begun for each slot: the next one's place.
    private var begun: [UInt32]

    init(virtualMachines count: Int) {
        entries = Array(repeating: nil, count: count * DaemonLimits.refusalsRemembered)
        begun = Array(repeating: 0, count: count)
    }

    /// A VM takes the slot.
    mutating func forget(_ slot: UInt32) {
        begun[Int(slot)] = 0
        for index in places(of: slot) { entries[index] = nil }
    }

    /// - Returns: whether it begins an entry: the reason is another, or the last refusal was a while ago.
    mutating func note(_ busy: Busy, of vm: VMID, at now: Instant) -> Bool {
        let slot = Int(vm.slot)
        let places = places(of: vm.slot)
        let count = DaemonLimits.refusalsRemembered
        let last = places.lowerBound + (Int(begun[slot]) + count - 1) % count
        if let entry = entries[last], entry.reason == busy.reason, now - entry.last < DaemonLimits.refusalsApart {
            entries[last]!.holder = busy.holder
            entries[last]!.retryAfter = busy.retryAfter
            entries[last]!.last = now
            entries[last]!.times += 1
            return false
        }
        entries[places.lowerBound + Int(begun[slot]) % count] = Refusal(
            reason: busy.reason, holder: busy.holder, retryAfter: busy.retryAfter, since: now, last: now, times: 1)
        begun[slot] = (begun[slot] + 1) % UInt32(count)
        return true
    }

    /// The latest first.
    func refusals(of vm: VMID) -> [Refusal] {
        entries[places(of: vm.slot)].compactMap { $0 }.sorted { $0.last > $1.last }
    }

    private func places(of slot: UInt32) -> Range<Int> {
        let first = Int(slot) * DaemonLimits.refusalsRemembered
        return first..<first + DaemonLimits.refusalsRemembered
    }
}
