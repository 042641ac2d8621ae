import Arbiter
import FuzzSupport
import TraceFormat
import TraceReplay

/// Goal: whatever a file holds, reading it ends with what it holds or with what is wrong and where; records that are
/// read are read the same after they are written again; sound calls never disturb the Arbiter, and unsound states are
/// refused.
/// Method: the input's bits change a sound trace, word by word, and checksums are set right again, so that damage
/// reaches what lies behind them. An input that begins with 0 is a whole file.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let kind = input.first else { return -1 }
    if kind == 0 {
        read(Array(input.dropFirst()), mayReplay: false)
        return 0
    }
    var patched = SoundTrace.shared
    let touchesState = patched.apply(Array(input.dropFirst()), repairs: kind % 4 != 1)
    read(patched.bytes, mayReplay: !touchesState)
    return 0
}

private func read(_ bytes: [UInt8], mayReplay: Bool) {
    let file: TraceFile
    do throws(TraceProblem) {
        file = try TraceFile(bytes)
    } catch {
        check(error, bytes)
        return
    }
    var items = 0
    for item in TraceReader(file) {
        items += 1
        switch item {
        case .segment(_, let state): checkState(state)
        case .name(_, let name): expect(name.utf8.count <= 3 * TraceLimits.nameBytes, "a long name")
        case .call(_, let record): checkRecord(record)
        case .damage(let problem): check(problem, bytes)
        }
    }
    expect(items > 0, "a trace that holds nothing")
    guard mayReplay else { return }
    var history = History()
    var replay = Replay()
    replay.run(file, see: { history.see($0) })
    expect(replay.summary.calls <= items, "more calls than there are")
    let lanes = TextTimeline(
        history, names: replay.names, from: history.from ?? Instant(sinceBoot: .zero), column: .milliseconds(1),
        columns: 40)
    expect(lanes.text.hasPrefix("ms "), "a timeline without its ruler")
}

private func check(_ problem: TraceProblem, _ bytes: [UInt8]) {
    expect(!problem.message.isEmpty, "something is wrong without words")
    expect(problem.offset >= 0 && problem.offset <= bytes.count, "something is wrong outside the file")
}

/// Written anew it is read as the same.
private func checkRecord(_ record: CallRecord) {
    var trace = Memory(TraceShape(segments: 2, wordsInSegment: 400))
    trace.beginSegment([1], at: record.now)
    trace.record(record)
    guard let file = try? TraceFile(trace.bytes) else { fail("a new trace cannot be read") }
    var again: CallRecord?
    for case .call(_, let read) in TraceReader(file) { again = read }
    var expected = record
    // A digest cannot be made of what is not there.
    expected.further = nil
    expect(again == expected, "\(expected) is read as \(String(describing: again))")
}

private func checkState(_ words: [UInt64]) {
    do throws(StateProblem) {
        let arbiter = try Arbiter.restored(from: words)
        var saved: [UInt64] = []
        arbiter.save(into: &saved)
        let again = try Arbiter.restored(from: saved)
        var savedAgain: [UInt64] = []
        again.save(into: &savedAgain)
        expect(saved == savedAgain, "a state that is restored is another")
    } catch {
        expect(error.word >= 0 && error.word <= words.count, "a problem outside the state")
    }
}
