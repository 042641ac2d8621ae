import Arbiter
import SPModel
import Testing

/// Goal: the queue behind the mutex, and what faults do to it. Method: virtual time; the order is read from runs and
/// results.
@Suite("Secure Processor model")
struct SecureProcessorTests {
    typealias Completion = SecureProcessor.Completion

    var processor = SecureProcessor(profile: .milan2024, seed: 1, recordsRuns: true)
    var completions: [Completion] = []
    let start = Instant(sinceBoot: .seconds(10))
    var lastTag: UInt64 = 0

    mutating func submit(
        _ kind: CommandKind, units: UInt32 = 1, origin: UInt64, at offset: Nanoseconds = .zero
    ) throws {
        let sequence = try #require(CommandSequence(kind: kind, units: units))
        lastTag += 1
        processor.submit(sequence, origin: origin, tag: lastTag, at: start + offset, into: &completions)
    }

    mutating func runToEnd() { processor.advance(to: start + .seconds(1_000), into: &completions) }

    @Test("an update queues again after each page: a report that came meanwhile goes between two pages")
    mutating func interleaving() throws {
        try submit(.launchUpdate, units: 4, origin: 1)
        try submit(.report, origin: 2, at: .microseconds(100))
        try submit(.report, origin: 3, at: .microseconds(100))
        runToEnd()
        #expect(completions.map(\.origin) == [2, 3, 1])
        let runs = processor.takeRuns(includingCurrent: true)
        #expect(runs.map(\.origin) == [1, 2, 3, 1])
        #expect(runs.map(\.commands) == [1, 1, 1, 3])
        // The update waited for both reports, less the 30 µs in which it was not queued.
        let update = completions[2]
        #expect(update.queued == completions[0].service + completions[1].service - .microseconds(30))
        #expect(update.unitsDone == 4)
    }

    @Test("with K guests always queued each page waits for all of them, as behind the bare mutex")
    mutating func closedLoop() throws {
        let guests: UInt64 = 8
        for guest in 1...guests { try submit(.report, origin: 100 + guest) }
        try submit(.launchUpdate, units: 16, origin: 1)
        while !completions.contains(where: { $0.origin == 1 }) {
            let next = try #require(processor.nextEvent)
            let seen = completions.count
            processor.advance(to: next.at, into: &completions)
            for completion in completions[seen...] where completion.origin != 1 {
                try submit(.report, origin: completion.origin, at: completion.ended - start)
            }
        }
        // Between two pages each guest has exactly one report.
        #expect(completions.filter { $0.origin != 1 }.count == 16 * Int(guests))
    }

    @Test("a command begins when its predecessor ended, however late the server is looked at")
    mutating func noDrift() throws {
        try submit(.report, origin: 1)
        try submit(.report, origin: 2)
        runToEnd()
        #expect(completions[0].ended == start + completions[0].service)
        #expect(completions[1].ended == completions[0].ended + completions[1].service)
        #expect(completions[1].queued == completions[0].service)
        #expect(processor.counts.busy == completions[0].service + completions[1].service)
    }

    @Test("LAUNCH_START is three commands, LAUNCH_FINISH one for each vCPU and one more, a status two")
    mutating func expansion() throws {
        for (index, (kind, units, commands)) in [
            (CommandKind.launchStart, UInt32(1), UInt64(3)), (.launchFinish, 4, 5), (.platformStatus, 1, 2),
            (.launchUpdate, 7, 7), (.derivedKey, 1, 1), (.legacyLaunch, 256, 1),
        ].enumerated() {
            let before = processor.counts.firmwareCommands
            try submit(kind, units: units, origin: 1, at: .seconds(Int64(index)))
            processor.advance(to: start + .seconds(Int64(index) + 1), into: &completions)
            #expect(processor.counts.firmwareCommands - before == commands)
            #expect(completions.last?.unitsDone == units)
        }
        let legacy = try #require(completions.last)
        #expect(legacy.service > .milliseconds(120) && legacy.service < .milliseconds(127))
    }

    @Test("slow commands take ten times as long, as often as they were asked for")
    func slow() throws {
        var processor = SecureProcessor(profile: .milan2024, seed: 3, slowOneIn: 10)
        var completions: [Completion] = []
        for index in 0..<2_000 {
            let report = try #require(CommandSequence(kind: .report))
            let now = start + .seconds(Int64(index))
            processor.submit(report, origin: 1, tag: UInt64(index), at: now, into: &completions)
        }
        processor.advance(to: .distantFuture, into: &completions)
        let slow = completions.count { $0.service > .milliseconds(60) }
        #expect(completions.count == 2_000 && (150...250).contains(slow), "\(slow)")
    }

    @Test("what cannot be one ioctl is refused: a whole launch, no units, too many")
    func impossible() {
        #expect(CommandSequence(kind: .wholeLaunch, units: 64) == nil)
        #expect(CommandSequence(kind: .launchUpdate, units: 0) == nil)
        #expect(CommandSequence(kind: .launchUpdate, units: 262_145) == nil)
        #expect(CommandSequence(kind: .launchFinish, units: 4_097) == nil)
        #expect(CommandSequence(kind: .report, units: 2) == nil)
    }

    @Test("a VM that hangs up loses what it queued; its command in service runs on and nobody is told")
    mutating func hangUp() throws {
        try submit(.launchStart, origin: 1)
        runToEnd()
        #expect(processor.guestCount == 1)
        try submit(.launchUpdate, units: 4, origin: 1, at: .seconds(2_000))
        try submit(.report, origin: 2, at: .seconds(2_000))
        try submit(.report, origin: 3, at: .seconds(2_000))
        processor.hangUp(origin: 1)
        processor.hangUp(origin: 2)
        processor.advance(to: start + .seconds(3_000), into: &completions)
        #expect(completions.map(\.origin) == [1, 3])
        #expect(processor.takeRuns(includingCurrent: true).map(\.commands) == [3, 1, 1])
        #expect(processor.counts.abandoned == 1)
        #expect(processor.guestCount == 0)
        #expect(processor.outstanding == 0)
    }

    @Test("a device that dies: one command times out, the queue and all that follows is EBUSY, until revived")
    mutating func death() throws {
        try submit(.launchUpdate, units: 4, origin: 1)
        try submit(.report, origin: 2)
        processor.apply(.die(hang: .seconds(100)), at: start, into: &completions)
        runToEnd()
        try submit(.report, origin: 3, at: .seconds(1_001))
        #expect(completions.map(\.error) == [.timedOut, .dead, .dead])
        #expect(completions[0].ended == start + .seconds(100))
        #expect(completions[0].unitsDone == 0)
        processor.apply(.revive, at: start + .seconds(1_002), into: &completions)
        try submit(.report, origin: 4, at: .seconds(1_002))
        processor.advance(to: start + .seconds(1_003), into: &completions)
        #expect(completions.last?.origin == 4 && completions.last?.error == nil)
    }

    @Test("an idle device told to die takes the next command with it")
    mutating func deathWhileIdle() throws {
        processor.apply(.die(hang: .milliseconds(5)), at: start, into: &completions)
        try submit(.platformStatus, origin: 1)
        #expect(processor.nextEvent?.at == start + .milliseconds(5))
        runToEnd()
        #expect(completions.map(\.error) == [.timedOut])
    }

    @Test("a stall lets nothing end before its time; the rest follows at once")
    mutating func stall() throws {
        try submit(.report, origin: 1)
        try submit(.report, origin: 2)
        processor.apply(.stall(.seconds(3)), at: start, into: &completions)
        #expect(processor.nextEvent?.at == start + .seconds(3))
        runToEnd()
        #expect(completions[0].ended == start + .seconds(3))
        #expect(completions[1].ended == completions[0].ended + completions[1].service)
    }

    @Test("a stall without end has no next event; revived, what was in service ends at once")
    mutating func stallUntilRevived() throws {
        processor.apply(.stallUntilRevived, at: start, into: &completions)
        try submit(.report, origin: 1)
        #expect(processor.nextEvent == nil)
        runToEnd()
        #expect(completions.isEmpty)
        processor.apply(.revive, at: start + .seconds(2_000), into: &completions)
        #expect(completions.map(\.ended) == [start + .seconds(2_000)])
    }

    @Test("a refused ioctl never reaches the SP; a firmware error comes after its service")
    mutating func refusals() throws {
        processor.apply(.refuse(errno: 13, count: .next(1)), at: start, into: &completions)
        try submit(.report, origin: 1)
        #expect(completions.map(\.error) == [CommandError(errno: 13)])
        #expect(processor.counts.firmwareCommands == 0)
        processor.apply(.firmwareError(0x16, count: .next(1)), at: start, into: &completions)
        try submit(.launchUpdate, units: 3, origin: 1)
        runToEnd()
        #expect(completions[1].error == .firmware(0x16))
        #expect(completions[1].unitsDone == 0 && completions[1].service > .zero)
        try submit(.report, origin: 1, at: .seconds(1_000))
        processor.advance(to: start + .seconds(1_001), into: &completions)
        #expect(completions[2].error == nil)
        #expect(processor.counts.failed == 2)
    }

    @Test("run to the next completion it stops there, and gives the same in the end as looked at once")
    mutating func completionByCompletion() throws {
        var twin = processor
        var seen: [Completion] = []
        for (origin, units) in [(UInt64(1), UInt32(40)), (2, 3), (3, 1)] {
            let update = try #require(CommandSequence(kind: .launchUpdate, units: units))
            twin.submit(update, origin: origin, tag: origin, at: start, into: &seen)
            try submit(.launchUpdate, units: units, origin: origin)
        }
        runToEnd()
        for count in 1...3 {
            twin.advanceToCompletion(by: start + .seconds(1_000), into: &seen)
            #expect(seen.count == count)
        }
        #expect(seen == completions)
        twin.advanceToCompletion(by: start + .seconds(2_000), into: &seen)
        #expect(seen.count == 3)
    }

    @Test("a limit between two pages leaves the next command for later")
    mutating func limited() throws {
        try submit(.launchUpdate, units: 10, origin: 1)
        processor.advanceToCompletion(by: start + .milliseconds(3), into: &completions)
        #expect(completions.isEmpty && (2...3).contains(processor.counts.firmwareCommands))
    }

    @Test("a teardown is DECOMMISSION and its page, or DF_FLUSH, and counts as neither launch nor guest")
    mutating func teardown() throws {
        processor.submit(.decommission, origin: 1, tag: 1, at: start, into: &completions)
        processor.submit(.dataFabricFlush, origin: 2, tag: 2, at: start, into: &completions)
        runToEnd()
        #expect(processor.counts.firmwareCommands == 3)
        // The flush comes between the two commands of the other.
        #expect(completions.map(\.origin) == [2, 1])
        #expect(completions[0].service > .milliseconds(4) && completions[0].service < .milliseconds(10))
        #expect(completions[1].service > .microseconds(1_100) && completions[1].service < .microseconds(1_800))
        try submit(.report, origin: 3, at: .seconds(1_000))
        try submit(.launchStart, origin: 4, at: .seconds(1_000))
        processor.advance(to: start + .seconds(1_001), into: &completions)
        let counts = processor.counts
        #expect(counts.guests == completions[2].service && counts.launches == completions[3].service)
        #expect(counts.busy == completions.reduce(.zero) { $0 + $1.service })
    }

    @Test("the totals of a moment include what has been served of the command in service")
    mutating func partial() throws {
        try submit(.report, origin: 1)
        let now = start + .milliseconds(2)
        processor.advance(to: now, into: &completions)
        #expect(processor.counts(at: now).busy == .milliseconds(2))
        #expect(processor.counts(at: now).guests == .milliseconds(2) && processor.counts.busy == .zero)
    }

    @Test("a queue of hundreds keeps its order while it grows and shrinks")
    mutating func longQueue() throws {
        for origin in 0..<UInt64(300) { try submit(.derivedKey, origin: origin, at: .microseconds(Int64(origin))) }
        processor.hangUp(origin: 150)
        for origin in 300..<UInt64(500) {
            try submit(.derivedKey, origin: origin, at: .milliseconds(100) + .microseconds(Int64(origin)))
        }
        runToEnd()
        #expect(completions.map(\.origin) == (0..<500).filter { $0 != 150 })
        #expect(processor.outstanding == 0)
    }
}
