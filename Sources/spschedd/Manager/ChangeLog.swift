import Arbiter
import VMMProtocol

/// Something that happened. What it says is put into words when somebody reads it.
struct Change {
    enum What {
        case vmRegistered(reservation: Rate)
        case vmGone(String)
        case registrationRefused(ErrorCode, String)
        case refused(Busy)
        case launchBegan(pages: UInt32)
        case launchEnded(LaunchEnd)
        case turnOverdue
        case device(DeviceState)
        case draining(Bool)
        case reservations(areSuspended: Bool)
    }

    enum LaunchEnd {
        case running, failed
        /// It took longer than it may.
        case wallClock
        /// Its VM is gone.
        case vmGone
    }

    let at: Instant
    let vm: VMLabel?
    let what: What
}

/// Who a VM is, also when it is gone.
struct VMLabel {
    /// `nil`: it was never admitted.
    let vm: VMID?
    let name: Name64
    let uuid: UUIDBytes

    init(_ record: VMRecord) {
        vm = record.vm
        name = record.name
        uuid = record.uuid
    }

    init(_ register: Register) {
        vm = nil
        name = register.name
        uuid = register.uuid
    }

    var title: String { name.isEmpty ? "VM \(uuid)" : "VM \"\(name)\"" }
}

/// The last changes, in one ring for all who watch: each has a cursor in it, and who is too slow loses the oldest. Kept
/// only while somebody watches.
struct ChangeLog {
    /// Of the change that comes next. The first is 1.
    private(set) var next: UInt64 = 1
    private var oldest: UInt64 = 1
    private var ring: [Change?] = []

    var isKept: Bool { !ring.isEmpty }

    mutating func keep() {
        guard !isKept else { return }
        ring = Array(repeating: nil, count: DaemonLimits.changesKept)
        oldest = next
    }

    mutating func forget() { ring = [] }

    mutating func append(_ change: Change) {
        guard isKept else { return }
        ring[Int(next % UInt64(ring.count))] = change
        next += 1
        if next - oldest > UInt64(ring.count) { oldest += 1 }
    }

    /// The change with that number, or the oldest after it that is kept; `nil` if it has not happened.
    func change(from number: UInt64) -> (number: UInt64, change: Change)? {
        let number = max(number, oldest)
        guard isKept, number < next, let change = ring[Int(number % UInt64(ring.count))] else { return nil }
        return (number, change)
    }
}
