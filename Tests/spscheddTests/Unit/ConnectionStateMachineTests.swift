import Arbiter
import Testing
import VMMProtocol

@testable import spschedd

/// The machine is driven by plain calls; what it returns is what the daemon would do.
@Suite("What a connection may say")
struct ConnectionStateMachineTests {
    private static let now = Instant(sinceBoot: .seconds(1_000))
    private static let vm = VMID(slot: 3, generation: 7)
    private let hello = ClientMessage.hello(Hello(name: Name64("test")!))
    private let register = Register(uuid: UUIDBytes(high: 1, low: 2), name: Name64("vm")!)
    private let acquire = ClientMessage.acquire(Acquire(.report))

    private func introduced() -> HeldMachine {
        let machine = HeldMachine()
        _ = machine.received(hello, tag: 1, now: Self.now)
        return machine
    }

    private func serving() -> HeldMachine {
        let machine = introduced()
        _ = machine.received(.register(register), tag: 2, now: Self.now)
        machine.registered(Self.vm)
        return machine
    }

    @Test("a connection says HELLO, registers, and is served")
    func goodOrder() {
        let machine = HeldMachine()
        #expect(machine.received(hello, tag: 1, now: Self.now) == .welcome(.all))
        #expect(machine.received(.register(register), tag: 2, now: Self.now) == .register(register))
        machine.registered(Self.vm)
        #expect(machine.received(acquire, tag: 3, now: Self.now) == .perform(acquire, Self.vm))
        #expect(machine.received(.cancel(tag: 3), tag: 0, now: Self.now) == .perform(.cancel(tag: 3), Self.vm))
    }

    @Test("only features that both sides know are used")
    func features() {
        let machine = HeldMachine()
        let hello = Hello(features: [.resync, Features(rawValue: 1 << 60)], name: .empty)
        #expect(machine.received(.hello(hello), tag: 1, now: Self.now) == .welcome(.resync))
    }

    @Test("what comes too early or twice is an error, and the connection goes on where it was")
    func outOfOrder() {
        let machine = HeldMachine()
        #expect(machine.received(acquire, tag: 1, now: Self.now) == .refuse(ErrorReply(.helloExpected)))
        #expect(machine.received(hello, tag: 2, now: Self.now) == .welcome(.all))
        #expect(machine.received(hello, tag: 3, now: Self.now) == .refuse(ErrorReply(.alreadyHello)))
        #expect(machine.received(acquire, tag: 4, now: Self.now) == .refuse(ErrorReply(.notRegistered)))
        _ = machine.received(.register(register), tag: 5, now: Self.now)
        machine.registered(Self.vm)
        #expect(
            machine.received(.register(register), tag: 6, now: Self.now) == .refuse(ErrorReply(.alreadyRegistered)))
        #expect(machine.received(acquire, tag: 7, now: Self.now) == .perform(acquire, Self.vm))
    }

    @Test("a client without a common version is told, and left")
    func noCommonVersion() {
        let machine = HeldMachine()
        let hello = Hello(versionMin: 2, versionMax: 9, name: .empty)
        #expect(
            machine.received(.hello(hello), tag: 1, now: Self.now)
                == .refuseAndClose(ErrorReply(.versionUnsupported), .noCommonVersion))
        #expect(machine.received(acquire, tag: 2, now: Self.now) == .ignore)
    }

    @Test("after a refused registration another may follow")
    func registersAgain() {
        let machine = introduced()
        #expect(machine.received(.register(register), tag: 2, now: Self.now) == .register(register))
        #expect(machine.received(.register(register), tag: 3, now: Self.now) == .register(register))
    }

    @Test("tags rise; a repeat of an unanswered one is ignored, of an answered one is an error")
    func tags() {
        let machine = serving()
        #expect(machine.received(acquire, tag: 2, now: Self.now) == .refuse(ErrorReply(.tagReused)))
        #expect(machine.received(acquire, tag: 10, now: Self.now) == .perform(acquire, Self.vm))
        #expect(machine.opened(tag: 10))
        #expect(machine.received(acquire, tag: 10, now: Self.now) == .ignore)
        #expect(machine.isOpen(tag: 10))
        #expect(machine.replied(tag: 10))
        #expect(!machine.replied(tag: 10))
        #expect(machine.received(acquire, tag: 10, now: Self.now) == .refuse(ErrorReply(.tagReused)))
        #expect(machine.received(acquire, tag: 9, now: Self.now) == .refuse(ErrorReply(.tagReused)))
    }

    @Test("RELEASE without a tag is outside the order of tags")
    func untagged() {
        let machine = serving()
        let release = ClientMessage.release(Release(TurnID(number: 1)))
        #expect(machine.received(acquire, tag: 10, now: Self.now) == .perform(acquire, Self.vm))
        #expect(machine.received(release, tag: 0, now: Self.now) == .perform(release, Self.vm))
        #expect(machine.received(release, tag: 0, now: Self.now) == .perform(release, Self.vm))
        #expect(machine.received(release, tag: 10, now: Self.now) == .refuse(ErrorReply(.tagReused)))
    }

    @Test("no more requests may be open than the protocol allows")
    func tooManyOpen() {
        let machine = serving()
        for tag in 10..<UInt64(10 + ProtocolLimits.outstandingTags) { #expect(machine.opened(tag: tag)) }
        #expect(!machine.opened(tag: 1_000))
        machine.replied(tag: 20)
        #expect(machine.opened(tag: 1_001))
        #expect(machine.isOpen(tag: 10) && machine.isOpen(tag: 1_001) && !machine.isOpen(tag: 20))
    }

    @Test("every way a record can be no message ends the connection or is an error, as the protocol says")
    func malformed() {
        for error in WireError.allCases {
            let machine = serving()
            let expected: ConnectionStateMachine.OnMessage =
                error.endsConnection
                ? .refuseAndClose(ErrorReply(error), .brokenFraming(error)) : .refuse(ErrorReply(error))
            #expect(machine.receivedMalformed(error, now: Self.now) == expected)
            #expect(
                machine.received(acquire, tag: 9, now: Self.now)
                    == (error.endsConnection ? .ignore : .perform(acquire, Self.vm)))
            #expect(machine.ended() == Self.vm)
            #expect(machine.ended() == nil)
        }
    }

    @Test("mistakes in a row end the connection; the same number spread over time does not")
    func mistakes() {
        let hasty = serving()
        let patient = serving()
        for count in 1...MistakeCount.max {
            #expect(hasty.receivedMalformed(.unknownType, now: Self.now) == .refuse(ErrorReply(WireError.unknownType)))
            let later = Self.now + MistakeCount.window * Int64(count) + Nanoseconds(Int64(count))
            #expect(patient.receivedMalformed(.unknownType, now: later) == .refuse(ErrorReply(WireError.unknownType)))
        }
        #expect(
            hasty.receivedMalformed(.unknownType, now: Self.now)
                == .refuseAndClose(ErrorReply(WireError.unknownType), .tooManyMistakes))
        let muchLater = Self.now + MistakeCount.window * 10_000
        #expect(patient.receivedMalformed(.unknownType, now: muchLater) == .refuse(ErrorReply(WireError.unknownType)))
    }

    @Test("silence counts only before HELLO")
    func silence() {
        let silent = HeldMachine()
        #expect(silent.helloTimedOut() == .silence)
        #expect(silent.helloTimedOut() == nil)
        let introduced = introduced()
        #expect(introduced.helloTimedOut() == nil)
        #expect(introduced.received(.register(register), tag: 2, now: Self.now) == .register(register))
    }

    @Test("after UNREGISTER the connection may register another VM")
    func unregister() {
        let machine = serving()
        machine.unregistered()
        #expect(machine.received(acquire, tag: 8, now: Self.now) == .refuse(ErrorReply(.notRegistered)))
        #expect(machine.received(.register(register), tag: 9, now: Self.now) == .register(register))
        #expect(machine.ended() == nil)
    }
}
