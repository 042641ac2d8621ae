import Arbiter
import LinuxIO
import VMMProtocol

/// What the daemon knows of a registered VM beside what the Arbiter does.
struct VMRecord {
    let vm: VMID
    let token: Token
    let uuid: UUIDBytes
    let name: Name64
    let account: Account
    let failureMode: FailureMode
    let registration: Registration
    let admission: Admission
    let registeredAt: Instant
    var connections: [EventToken] = []
    var session: SessionID?
    /// When it is unregistered, if no connection resumes it before.
    var lingersUntil: Instant?
    var busies = BusyCounts()

    /// How logs and other VMs' refusals name it.
    var title: String { name.isEmpty ? "VM \(uuid)" : "VM \"\(name)\"" }
}

/// The registered VMs by slot and by token.
struct VMTable {
    private var records: [VMRecord?]
    private var slotsByToken: [Token: Int] = [:]
    private(set) var count = 0

    init(capacity: Int) { records = Array(repeating: nil, count: capacity) }

    subscript(vm: VMID) -> VMRecord? {
        guard vm.slot < records.count, let record = records[Int(vm.slot)], record.vm == vm else { return nil }
        return record
    }

    /// The record that the token stands for.
    subscript(token: Token) -> VMRecord? { slotsByToken[token].flatMap { records[$0] } }

    mutating func insert(_ record: VMRecord) {
        precondition(records[Int(record.vm.slot)] == nil, "the slot is taken")
        records[Int(record.vm.slot)] = record
        slotsByToken[record.token] = Int(record.vm.slot)
        count += 1
    }

    @discardableResult
    mutating func remove(_ vm: VMID) -> VMRecord? {
        guard let record = self[vm] else { return nil }
        records[Int(vm.slot)] = nil
        slotsByToken[record.token] = nil
        count -= 1
        return record
    }

    /// Changes a record in place, if the VM is registered.
    mutating func update(_ vm: VMID, _ body: (inout VMRecord) -> Void) {
        guard vm.slot < records.count, records[Int(vm.slot)]?.vm == vm else { return }
        body(&records[Int(vm.slot)]!)
    }

    /// The VM with the lowest slot from `slot` on.
    func first(from slot: Int) -> VMRecord? {
        guard slot < records.count else { return nil }
        for case let record? in records[slot...] { return record }
        return nil
    }

    func forEach(_ body: (VMRecord) -> Void) {
        for case let record? in records { body(record) }
    }
}

/// Refusals by reason.
struct BusyCounts {
    private var counts = InlineArray<16, Int64>(repeating: 0)

    mutating func add(_ reason: BusyReason) { counts[Int(reason.rawValue)] += 1 }

    var sum: Int64 { BusyReason.allCases.reduce(0) { $0 + self[$1] } }

    subscript(reason: BusyReason) -> Int64 { counts[Int(reason.rawValue)] }
}
