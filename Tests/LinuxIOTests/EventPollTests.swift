import Arbiter
import LinuxIO
import Testing

@Suite("Waiting for events")
struct EventPollTests {
    @Test("an event carries the slot and the generation that it was registered with")
    func token() throws {
        let poll = try EventPoll(capacity: 4)
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let token = EventToken(slot: 0xFFFF_FFFE, generation: 0x8000_0001)
        try poll.add(ends.second.descriptor.number, for: [.readable, .peerShutdown], token: token)
        try expectEvents(0, poll, within: 0)
        _ = try ends.first.send([1])
        try expectEvents(1, poll)
        let event = poll.event(0)
        #expect(event.token == token)
        #expect(event.readiness == .readable)
        ends.first.shutDown()
        try expectEvents(1, poll)
        let last = poll.event(0).readiness
        #expect(last.contains(.peerShutdown))
    }

    @Test("a wait reports no more than its capacity, and the rest with the next")
    func capacity() throws {
        let poll = try EventPoll(capacity: 1)
        let first = try WakeUp()
        let second = try WakeUp()
        try poll.add(first.descriptor.number, for: .readable, token: EventToken(slot: 1, generation: 0))
        try poll.add(second.descriptor.number, for: .readable, token: EventToken(slot: 2, generation: 0))
        first.signal()
        second.signal()
        var slots: Set<UInt32> = []
        for _ in 0..<2 {
            try expectEvents(1, poll)
            let slot = poll.event(0).token.slot
            slots.insert(slot)
            let wasSignalled = slot == 1 ? first.take() : second.take()
            #expect(wasSignalled)
        }
        #expect(slots == [1, 2])
        try expectEvents(0, poll, within: 0)
    }

    @Test("a removed member is heard of no more")
    func removal() throws {
        let poll = try EventPoll(capacity: 4)
        let wakeUp = try WakeUp()
        try poll.add(wakeUp.descriptor.number, for: .readable, token: EventToken(slot: 1, generation: 0))
        wakeUp.signal()
        try poll.remove(wakeUp.descriptor.number)
        try expectEvents(0, poll, within: 0)
    }

    @Test("a timer set in the past fires at once, one in the far future not, and a disarmed one never")
    func timer() throws {
        let poll = try EventPoll(capacity: 4)
        let timer = try BootTimer()
        try poll.add(timer.descriptor.number, for: .readable, token: EventToken(slot: 1, generation: 0))
        try timer.set(.distantFuture)
        try expectEvents(0, poll, within: 0)
        try timer.set(BootClock.now() - .seconds(1))
        try expectEvents(1, poll)
        try timer.acknowledge()
        try expectEvents(0, poll, within: 0)
        try timer.set(.distantPast)
        try timer.set(nil)
        try expectEvents(0, poll, within: 0)
    }

    @Test("a timer fires no earlier than its instant")
    func timerIsNotEarly() throws {
        let poll = try EventPoll(capacity: 4)
        let timer = try BootTimer()
        try poll.add(timer.descriptor.number, for: .readable, token: EventToken(slot: 1, generation: 0))
        let instant = BootClock.now() + .milliseconds(5)
        try timer.set(instant)
        try expectEvents(1, poll)
        #expect(BootClock.now() >= instant)
    }

    @Test("an error names the attempt, the subject and the kernel's reason in words")
    func words() throws {
        let error = #expect(throws: SystemError.self) { try openAndDrop("/nonexistent/device") }
        #expect(error?.description == "could not open /nonexistent/device: No such file or directory")
    }

    private func expectEvents(
        _ count: Int, _ poll: borrowing EventPoll, within milliseconds: Int32? = nil,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try poll.wait(milliseconds: milliseconds)
        #expect(found == count, sourceLocation: location)
    }

    private func openAndDrop(_ path: String) throws { _ = try FileDescriptor.openReadOnly(path) }
}
