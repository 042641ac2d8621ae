import Arbiter
import Testing
import TraceFormat

@testable import TraceReplay

/// Goal: what was recorded comes out again; what was altered does not.
@Suite("Replay")
struct ReplayTests {
    private func replay(_ file: TraceFile) -> ReplaySummary {
        var replay = Replay()
        replay.run(file)
        return replay.summary
    }

    @Test("every decision of a busy host comes out again", arguments: 1...3 as ClosedRange<UInt64>)
    func same(seed: UInt64) throws {
        var host = TracedHost.busy(seed: seed)
        host.run(for: .seconds(5))
        let summary = replay(try host.file())
        #expect(summary.difference == nil)
        #expect(summary.calls == host.calls)
        #expect(summary.decisions == host.log.count)
        #expect(summary.grants > 300)
        #expect(summary.launches > 3)
        #expect(!summary.refusals.isEmpty)
    }

    @Test("a ring that has wrapped is replayed from its oldest state, and leads to each of the later states")
    func wrapped() throws {
        var host = TracedHost.busy(seed: 9, wordsInSegment: 4_000)
        host.run(for: .seconds(8))
        let file = try host.file()
        #expect(try #require(file.segments.first).number > 1)
        let summary = replay(file)
        #expect(summary.difference == nil)
        #expect(summary.segments == 3)
        #expect(summary.calls > 300)
        #expect(summary.calls < host.calls)
    }

    /// The canary: without it all the others would prove nothing.
    @Test("one altered decision is found, and both are shown")
    func altered() throws {
        var host = TracedHost.busy(seed: 3)
        host.run(for: .seconds(2))
        let records = calls(try host.file())
        let victim = try #require(
            records.first {
                $0.record.decisions.contains { if case .granted = $0 { true } else { false } } && $0.number > 60
            })
        var altered = victim.record
        altered.decisions = altered.decisions.map { decision in
            guard case .granted(let id, let vm, let grant) = decision else { return decision }
            return .granted(RequestID(origin: id.origin, tag: id.tag + 1), vm, grant)
        }
        let file = try TraceFile(Rewritten(host.bytes).replacing(victim.number, by: altered))
        let summary = replay(file)
        #expect(summary.difference == .call(number: victim.number, recorded: altered, cameOut: victim.record))
    }

    @Test("an altered time leads to another state, or to other decisions")
    func alteredTime() throws {
        var host = TracedHost.busy(seed: 3)
        host.run(for: .seconds(1))
        host.beginSegment()
        let victim = try #require(calls(try host.file()).last)
        var altered = victim.record
        altered.now += .microseconds(1)
        let file = try TraceFile(Rewritten(host.bytes).replacing(victim.number, by: altered))
        #expect(replay(file).difference != nil)
    }

    @Test("after damage the replay begins anew with the next state")
    func damage() throws {
        var host = TracedHost.busy(seed: 4, wordsInSegment: 4_000)
        host.run(for: .seconds(8))
        let sound = replay(try host.file())
        host.change(TraceLimits.headerWords + 3_000) { $0 ^= 1 << 40 }
        let summary = replay(try host.file())
        #expect(summary.damages.count == 1)
        #expect(summary.difference == nil)
        #expect(summary.segments == 3)
        #expect(summary.calls < sound.calls)
        #expect(summary.calls > 100)
    }

    @Test("names are known")
    func names() throws {
        var host = TracedHost.busy(seed: 1)
        host.run(for: .milliseconds(10))
        host.beginSegment()
        var replay = Replay()
        replay.run(try host.file())
        #expect(replay.names.values.contains("first"))
    }

    private func calls(_ file: TraceFile) -> [(number: UInt64, record: CallRecord)] {
        TraceReader(file).compactMap { if case .call(let number, let record) = $0 { (number, record) } else { nil } }
    }
}

/// A trace of one or two segments that is written anew, with one call replaced.
private struct Rewritten {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func replacing(_ victim: UInt64, by other: CallRecord) throws -> [UInt8] {
        let file = try TraceFile(bytes)
        var ring = TraceRing(file.shape)
        var words = [UInt64](repeating: 0, count: file.shape.words)
        var span = words.mutableSpan
        ring.begin(file.origin, into: &span)
        for item in TraceReader(file) {
            switch item {
            case .segment(let segment, let state):
                guard ring.beginSegment(state: state, names: 16, into: &span) else { continue }
                ring.openSegment(at: segment.beganAt, sinceEpoch: segment.beganAtSinceEpoch, into: &span)
            case .name(let vm, let name): ring.name(vm, Array(name.utf8), into: &span)
            case .call(let number, let record):
                let written = number == victim ? other : record
                ring.record(
                    written.call, written.outcome, written.decisions, from: 0, at: written.now, into: &span)
            case .damage: break
            }
        }
        return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }
}
