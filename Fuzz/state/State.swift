import Arbiter
import FuzzSupport
import StateFormat

@testable import spschedd

/// Goal: whatever lies in the memory that a daemon left behind, the next one either goes on with it, and can be called,
/// or says what is wrong; it never traps, or systemd would start it into the same trap again and again. Nor does it later,
/// when operators ask, turns go on and VMs leave.
/// Method: an input that begins with 0 is the beginning of a memory. Any other is a list of changes to a sound one's
/// records, word by word, written as a daemon writes them: checksums hold, and the damage reaches what lies behind.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let kind = input.first else { return -1 }
    var memory = SoundMemory.shared
    if kind == 0 {
        memory.overwrite(with: Array(input.dropFirst()))
    } else {
        memory.apply(Array(input.dropFirst()))
    }
    take(memory.words)
    return 0
}

private func take(_ words: [UInt64]) {
    do throws(StateDamage) {
        let image = try StateImage(reading: words, recordVersion: SoundMemory.recordVersion, boot: SoundMemory.boot)
        expect(image.committed > 0, "a memory in which nothing was completed")
        let restored = try RestoredState(image)
        let now = SoundMemory.now + .seconds(1)
        var arbiter = try restored.arbiter(Configuration(), virtualMachines: SoundMemory.places, now: now)
        expect(arbiter.isPaused, "grants before anybody was asked")
        var saved: [UInt64] = []
        arbiter.save(into: &saved)
        expect(saved.count > 50, "an Arbiter without a state")
        live(&arbiter, from: now)
    } catch {
        expect(!error.description.isEmpty, "something is wrong without words")
    }
}

private func live(_ arbiter: inout Arbiter, from start: Instant) {
    var (now, decisions) = (start, [Decision]())
    beAsked(arbiter, now)
    arbiter.resumeGrants(now: now, into: &decisions)
    for report in arbiter.reports() {
        let vm = report.vm
        for kind in [CommandKind.report, .launchStart, .launchUpdate, .derivedKey] {
            _ = try? arbiter.beginLaunch(LaunchPlan(pages: 20, virtualCPUs: 1), of: vm, now: now)
            let request = RequestID(origin: 99, tag: 1_000)
            try? arbiter.acquire(kind, units: 1, maxWait: nil, request: request, of: vm, now: now, into: &decisions)
            now = now + .milliseconds(8)
            for turn in arbiter.turns(ofOrigin: 99) {
                try? arbiter.release(turn, TurnOutcome(unitsDone: 1), of: vm, now: now, into: &decisions)
            }
        }
        if let session = arbiter.session(of: vm) {
            try? arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
        }
    }
    for pause in [Nanoseconds.seconds(2), .seconds(3_600)] {
        now = now + pause
        arbiter.advance(to: now, into: &decisions)
        arbiter.probeReturned(.returned, now: now, into: &decisions)
        beAsked(arbiter, now)
    }
    for report in arbiter.reports() { arbiter.unregister(report.vm, now: now, into: &decisions) }
    beAsked(arbiter, now)
}

/// Every figure, and the sums that Status, ListVMs and Metrics make of them.
private func beAsked(_ arbiter: borrowing Arbiter, _ now: Instant) {
    let totals = arbiter.overview(now: now).totals
    let turns = Int64(totals.guestTurns + totals.launchTurns + totals.platformTurns + totals.floorTurns)
    let others = Int64(totals.launches + totals.refusals + totals.overdueTurns)
    let service = totals.guestService + totals.launchService + totals.platformService + totals.holdCost
    expect(turns >= 0 && others >= 0 && service >= .zero, "the host's sums make no sense")
    for report in arbiter.reports() {
        let counters = report.counters
        let counted = Int64(counters.guestTurns + counters.launchTurns + counters.refusals)
        let more = Int64(counters.launches + counters.overdueTurns)
        let service = counters.guestService + counters.launchService
        expect(counted >= 0 && more >= 0 && service >= .zero, "a VM's sums make no sense")
        expect(arbiter.standing(of: report.vm, now: now) != nil, "a VM that is listed has no standing")
    }
}

/// The memory of a daemon with some VMs at work, and its records.
struct SoundMemory {
    static let shared = SoundMemory()
    static let recordVersion: UInt64 = 3
    static let boot = BootID(low: 1, high: 2)
    static let now = Instant(sinceBoot: .seconds(5_000))
    static let places = 6

    private let layout = StateLayout(virtualMachines: places, accounts: 8, connections: 8)
    private var records: [(area: Area, place: Int, words: [UInt64])] = []
    private(set) var words: [UInt64] = []

    private init() {
        let arbiter = Self.busyArbiter()
        record(.host, 0) { words in
            words += [3, 30, 4, 40]
            arbiter.saveHost(into: &words)
        }
        record(.accounts, 0) { words in
            words += [1_000, 5]
            RecordText.put("label".utf8, words: 1, into: &words)
            arbiter.saveAccount(AccountID(slot: 0), into: &words)
        }
        for slot in 0..<Self.places {
            record(.virtualMachines, slot) { arbiter.saveVirtualMachine(inSlot: UInt32(slot), into: &$0) }
        }
        for slot in 0..<4 { record(.identities, slot) { $0 = Self.identity(slot) } }
        for slot in 0..<4 {
            record(.connections, slot) { words in
                words += [7, UInt64(slot) | 1 << 32, 15]
                RecordText.put("client".utf8, words: 8, into: &words)
            }
        }
        write()
    }

    private mutating func record(_ area: Area, _ place: Int, _ body: (inout [UInt64]) -> Void) {
        var words: [UInt64] = []
        body(&words)
        records.append((area, place, words))
    }

    private static func identity(_ slot: Int) -> [UInt64] {
        var words: [UInt64] = [UInt64(slot) | 1 << 32, 11, 12 + UInt64(slot), 13, 14]
        RecordText.put("vm".utf8, words: 8, into: &words)
        return words + [0, 0, 4_000_000, 1_000, 0, 0, 100, 3, 0, 0, 1_000, 5_000_000_000, 500_000_000]
    }

    /// One VM has a turn, two wait, one is launching.
    private static func busyArbiter() -> Arbiter {
        var arbiter = Arbiter(configuration: Configuration(), virtualMachines: places, now: now)
        var decisions: [Decision] = []
        guard let account = arbiter.openAccount() else { fail("there is no place for an account") }
        var vms: [VMID] = []
        for _ in 0..<4 {
            guard let admission = try? arbiter.register(Registration(), account: account, now: now) else {
                fail("a VM was not admitted")
            }
            vms.append(admission.vm)
        }
        _ = try? arbiter.beginLaunch(LaunchPlan(pages: 40, virtualCPUs: 1), of: vms[3], now: now)
        for (index, vm) in vms.enumerated() {
            try? arbiter.acquire(
                index == 3 ? .launchStart : .report, units: 1, maxWait: nil,
                request: RequestID(origin: 7 << 32 | UInt64(index), tag: 30), of: vm, now: now, into: &decisions)
        }
        return arbiter
    }

    private mutating func write() {
        var memory = [UInt64](repeating: 0, count: layout.words)
        var writer = StateWriter(layout)
        var span = memory.mutableSpan
        writer.writeHeader(
            StateHeader(recordVersion: Self.recordVersion, boot: Self.boot, serial: 1), into: &span)
        for record in records { writer.put(record.words, record.area, record.place, into: &span) }
        memory[StateWriter.committedWord] = writer.transaction.littleEndian
        writer.advance()
        words = memory
    }

    /// Three bytes a change: which record, which word of it, and what becomes of the word.
    mutating func apply(_ changes: [UInt8]) {
        var rest = changes[...]
        while rest.count >= 3 {
            let (which, place, how) = (rest.removeFirst(), rest.removeFirst(), rest.removeFirst())
            let record = Int(which) % records.count
            guard !records[record].words.isEmpty else { continue }
            let word = Int(place) % records[record].words.count
            let before = records[record].words[word]
            switch how % 8 {
            case 0: records[record].words[word] = 0
            case 1: records[record].words[word] = .max
            case 2: records[record].words[word] = UInt64(Int64.max / 2)
            case 3: records[record].words[word] = before ^ (1 << UInt64(how >> 3))
            case 4: records[record].words[word] = UInt64(how >> 3)
            case 5: records[record].words.removeLast()
            case 6: if records[record].words.count < records[record].area.wordsMax { records[record].words.append(0) }
            default: records[record].words[word] = 1 << UInt64(how >> 2)
            }
        }
        write()
    }

    mutating func overwrite(with bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() where index / 8 < words.count {
            let shift = UInt64(8 * (index % 8))
            words[index / 8] = words[index / 8] & ~(0xFF << shift) | UInt64(byte) << shift
        }
    }
}
