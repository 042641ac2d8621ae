import Arbiter
import VMMProtocol

@testable import spschedd

// `#expect` takes its arguments by value, which noncopyable and mutating things do not allow: these hold one each.

final class HeldMachine {
    private var machine = ConnectionStateMachine()

    func received(_ message: ClientMessage, tag: UInt64, now: Instant) -> ConnectionStateMachine.OnMessage {
        machine.received(message, tag: tag, now: now)
    }

    func receivedMalformed(_ error: WireError, now: Instant) -> ConnectionStateMachine.OnMessage {
        machine.receivedMalformed(error, now: now)
    }

    func registered(_ vm: VMID) { machine.registered(vm) }
    func unregistered() { machine.unregistered() }
    func opened(tag: UInt64) -> Bool { machine.opened(tag: tag) }
    @discardableResult func replied(tag: UInt64) -> Bool { machine.replied(tag: tag) }
    func isOpen(tag: UInt64) -> Bool { machine.isOpen(tag: tag) }
    func helloTimedOut() -> DisconnectReason? { machine.helloTimedOut() }
    func ended() -> VMID? { machine.ended() }
}

final class HeldUnearnedBudget {
    private var budget = UnearnedBudget(limit: DaemonLimits.unearnedMessages)

    func spend(at now: Instant) -> UnearnedBudget.Verdict { budget.spend(at: now) }
    func earn() { budget.earn() }
    func deferAgain(at now: Instant) { budget.deferAgain(at: now) }
    var isExceeded: Bool { budget.isExceeded }
}

final class HeldBudget {
    private var budget = LogBudget()

    func admitsRecord(at now: Instant, isRoutine: Bool = false) -> Bool {
        budget.admitsRecord(at: now, isRoutine: isRoutine)
    }
    func admitsOffence(_ kind: LogEvent = .protocolError, at now: Instant) -> Bool {
        budget.admitsOffence(kind, at: now)
    }
    func takeWithheld(at now: Instant) -> Int? { budget.takeWithheld(at: now) }
    func isQuiet(at now: Instant) -> Bool { budget.isQuiet(at: now) }
}

final class HeldEventBudgets {
    private var budgets = EventBudgets()

    func admits(_ event: LogEvent, saying message: String, at now: Instant) -> Bool {
        budgets.admits(event, saying: message, at: now)
    }
    func takeWithheld(at now: Instant, evenEarly: Bool = false) -> [LogEvent: Int] {
        Dictionary(uniqueKeysWithValues: budgets.takeWithheld(at: now, evenEarly: evenEarly))
    }
}
