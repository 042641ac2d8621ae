import Arbiter
import LinuxIO
import StateFormat

/// Writes down, in memory that outlives the process, what the next daemon must know. The loop's thread only.
///
/// What a call of the Arbiter changed is there before anything that came of it is sent: a few hundred bytes are stored
/// and one number after them. Nothing is allocated, and the kernel is not asked.
final class StateKeeper {
    /// Of the words in all records, the Arbiter's and the daemon's.
    static let recordVersion = Arbiter.recordVersion << 16 | UInt64(DaemonRecord.version)

    let memory: MappedMemory
    let serial: UInt64
    // SAFETY: the memory's mapping, which lives as long as this object.
    private let words: UnsafeMutableBufferPointer<UInt64>
    private var writer: StateWriter
    /// The record that is being made. Its room is kept.
    private var record: [UInt64] = []
    /// The latest turns with the tags of their requests: a grant may have been written down and not sent.
    private(set) var grants = GrantTags()
    private var failpoint: Failpoint?
    /// The name of an older state, to be let go of when this one is complete.
    var replaces: String?

    /// Goes on in memory that a daemon left behind, or begins on fresh one.
    init(_ memory: MappedMemory, _ layout: StateLayout, serial: UInt64, committed: UInt64, failpoint: Failpoint? = nil)
    {
        self.memory = memory
        self.serial = serial
        self.failpoint = failpoint
        words = memory.words
        writer = StateWriter(layout, committed: committed)
        record.reserveCapacity(Area.allCases.map(\.wordsMax).max() ?? 0)
    }

    var layout: StateLayout { writer.layout }

    // MARK: Beginning

    /// On fresh memory. What is never written takes no page of it.
    func begin(_ header: StateHeader, epoch: UInt64, grants: GrantTags) {
        self.grants = grants
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        writer.writeHeader(header, into: &span)
        writer.writeEpoch(epoch, into: &span)
    }

    /// After the daemon before was killed, perhaps in the middle of a transaction.
    func goOn(epoch: UInt64, grants: GrantTags) {
        self.grants = grants
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        writer.discardIncomplete(in: &span)
        writer.writeEpoch(epoch, into: &span)
    }

    /// Writes the host, and all places for VMs if there may be any.
    func keepAll(_ arbiter: borrowing Arbiter, isNew: Bool) {
        if !isNew { for slot in 0..<layout.virtualMachines { put(arbiter, virtualMachineIn: UInt32(slot)) } }
        put(host: arbiter)
    }

    // MARK: After each call of the Arbiter

    /// Writes what a call changed: its own VM, those that it decided about, and the host.
    @inline(__always)
    func keep(_ arbiter: borrowing Arbiter, _ vm: VMID?, _ decisions: [Decision], from first: Int) {
        if let vm { put(arbiter, virtualMachineIn: vm.slot) }
        for index in first..<decisions.count {
            if case .granted(let request, _, let grant) = decisions[index] {
                grants.add(grant.turn, tag: request.tag)
            }
            if let other = decisions[index].vm, other != vm { put(arbiter, virtualMachineIn: other.slot) }
        }
        put(host: arbiter)
        commit()
    }

    private func put(_ arbiter: borrowing Arbiter, virtualMachineIn slot: UInt32) {
        record.removeAll(keepingCapacity: true)
        arbiter.saveVirtualMachine(inSlot: slot, into: &record)
        put(.virtualMachines, Int(slot))
    }

    private func put(host arbiter: borrowing Arbiter) {
        record.removeAll(keepingCapacity: true)
        grants.save(into: &record)
        arbiter.saveHost(into: &record)
        put(.host, 0)
    }

    // MARK: What the daemon knows

    func keep(_ account: Account, _ arbiter: borrowing Arbiter) {
        record.removeAll(keepingCapacity: true)
        account.save(into: &record)
        arbiter.saveAccount(account.id, into: &record)
        put(.accounts, Int(account.id.slot))
    }

    func forget(_ account: AccountID) {
        record.removeAll(keepingCapacity: true)
        put(.accounts, Int(account.slot))
    }

    func keep(_ vm: VMRecord) {
        record.removeAll(keepingCapacity: true)
        vm.save(into: &record)
        put(.identities, Int(vm.vm.slot))
    }

    func keep(_ connection: Connection, of vm: VMID) {
        record.removeAll(keepingCapacity: true)
        connection.save(of: vm, into: &record)
        put(.connections, Int(connection.token.slot))
    }

    /// Only how many tenants the place has had is kept.
    func forget(_ connection: EventToken) {
        // With fewer places than the daemon before had, or under a name that nobody gave.
        guard connection.slot < layout.connections else { return }
        record.removeAll(keepingCapacity: true)
        record.append(UInt64(connection.generation))
        put(.connections, Int(connection.slot))
    }

    private func put(_ area: Area, _ place: Int) {
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        writer.put(record, area, place, into: &span)
    }

    /// All that was written since the last time is valid from now on.
    @inline(__always)
    func commit() {
        memory.publish(writer.transaction.littleEndian, at: StateWriter.committedWord)
        writer.advance()
        if failpoint != nil { failpoint?.pass(.afterState) }
    }
}

/// The tags of the requests for which the latest turns were granted: as many as may be out at once.
struct GrantTags: Equatable {
    private var turns: (UInt64, UInt64) = (0, 0)
    private var tags: (UInt64, UInt64) = (0, 0)

    init() {}

    mutating func add(_ turn: TurnID, tag: UInt64) {
        turns = (turns.1, turn.number)
        tags = (tags.1, tag)
    }

    func tag(of turn: TurnID) -> UInt64? {
        turns.1 == turn.number ? tags.1 : turns.0 == turn.number ? tags.0 : nil
    }

    static var words: Int { 4 }

    func save(into words: inout [UInt64]) {
        words.append(turns.0)
        words.append(tags.0)
        words.append(turns.1)
        words.append(tags.1)
    }

    init(_ words: ArraySlice<UInt64>) {
        guard words.count == Self.words, let first = words.first, let last = words.last else { return }
        turns = (first, words[words.startIndex + 2])
        tags = (words[words.startIndex + 1], last)
    }

    static func == (left: Self, right: Self) -> Bool { left.turns == right.turns && left.tags == right.tags }
}
