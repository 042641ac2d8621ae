import Arbiter
import Testing
import VMMProtocol

@testable import spschedd

/// Goal: what is kept for operators is bounded, and nobody can push out what others want to know. Method: the logs
/// themselves, with a time that is made up.
@Suite("What is kept for operators")
struct OperatorLogTests {
    private static func at(_ seconds: Int64) -> Instant { Instant(sinceBoot: .seconds(seconds)) }

    private func busy(_ reason: BusyReason, holder: VMID? = nil) -> Busy {
        Busy(retryAfter: .seconds(2), reason: reason, holder: holder)
    }

    @Test("refusals for one reason are one entry, with the last holder, until they pause")
    func refusals() {
        let log = HeldRefusalLog(virtualMachines: 4)
        let (vm, first, second) = (
            VMID(slot: 2, generation: 1), VMID(slot: 0, generation: 1), VMID(slot: 1, generation: 1)
        )
        #expect(log.note(busy(.guestsAhead, holder: first), of: vm, at: Self.at(1)))
        #expect(!log.note(busy(.guestsAhead, holder: second), of: vm, at: Self.at(3)))
        #expect(log.note(busy(.limit), of: vm, at: Self.at(4)))
        #expect(log.note(busy(.limit), of: vm, at: Self.at(60)))
        let entries = log.refusals(of: vm)
        #expect(entries.map(\.reason) == [.limit, .limit, .guestsAhead])
        #expect(entries.last?.times == 2 && entries.last?.holder == second && entries.last?.since == Self.at(1))
        #expect(log.refusals(of: second).isEmpty)
    }

    @Test("the oldest entries go, and a slot's next tenant begins with none")
    func fewRefusals() {
        let log = HeldRefusalLog(virtualMachines: 1)
        let vm = VMID(slot: 0, generation: 1)
        let reasons = Array(BusyReason.allCases.prefix(DaemonLimits.refusalsRemembered + 2))
        for (index, reason) in reasons.enumerated() {
            #expect(log.note(busy(reason), of: vm, at: Self.at(Int64(index))))
        }
        #expect(log.refusals(of: vm).map(\.reason) == reasons.suffix(DaemonLimits.refusalsRemembered).reversed())
        log.forget(0)
        #expect(log.refusals(of: VMID(slot: 0, generation: 2)).isEmpty)
    }

    private func register(_ name: String) -> Register {
        Register(uuid: UUIDBytes(high: 1, low: 2), name: Name64(name)!)
    }

    @Test("an account that is refused again and again does not push out another's")
    func rejections() {
        var log = RejectionLog()
        let (victim, flooder) = (AccountKey(uid: 1, label: ""), AccountKey(uid: 2, label: ""))
        log.note(register("victim"), of: victim, .capacity, "full", at: Self.at(0))
        for index in 0..<1_000 {
            log.note(register("x\(index)"), of: flooder, .accountVMs, "capped", at: Self.at(Int64(index)))
        }
        log.note(register("victim"), of: victim, .tooManyVMs, "no place", at: Self.at(2_000))
        let all = log.rejections { _, _ in true }
        #expect(all.count == 1 + DaemonLimits.rejectionsOfAccount)
        #expect(all[0].account == victim && all[0].times == 2 && all[0].code == .tooManyVMs)
        #expect(all[1].name == Name64("x999"))
    }

    @Test("there are no more rejections than there is room, however many accounts there are")
    func manyRejections() {
        var log = RejectionLog()
        for uid in 0..<UInt32(DaemonLimits.rejectionsRemembered + 50) {
            let key = AccountKey(uid: uid, label: "")
            log.note(register("x"), of: key, .capacity, "full", at: Self.at(Int64(uid)))
        }
        let all = log.rejections { _, _ in true }
        #expect(all.count == DaemonLimits.rejectionsRemembered && all.last?.account.uid == 50)
    }

    @Test("changes are kept while somebody watches, and who is behind gets the oldest there is")
    func changes() {
        var log = ChangeLog()
        let change = Change(at: Self.at(1), vm: nil, what: .draining(true))
        log.append(change)
        #expect(log.next == 1 && log.change(from: 1) == nil)
        log.keep()
        for _ in 0..<DaemonLimits.changesKept + 10 { log.append(change) }
        #expect(log.change(from: 1)?.number == 11)
        #expect(log.change(from: log.next) == nil && log.change(from: log.next - 1)?.number == log.next - 1)
        log.forget()
        #expect(!log.isKept && log.change(from: 11) == nil)
        // Numbers go on: a watcher of before notices.
        log.keep()
        #expect(log.change(from: 1) == nil)
    }
}

/// `#expect` takes its arguments by value: this holds the one that changes.
private final class HeldRefusalLog {
    private var log: RefusalLog

    init(virtualMachines count: Int) { log = RefusalLog(virtualMachines: count) }

    func note(_ busy: Busy, of vm: VMID, at now: Instant) -> Bool { log.note(busy, of: vm, at: now) }
    func refusals(of vm: VMID) -> [Refusal] { log.refusals(of: vm) }
    func forget(_ slot: UInt32) { log.forget(slot) }
}
