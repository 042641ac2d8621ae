import Arbiter
import Testing

@testable import TraceFormat

/// Goal: what is written is read again, in its order, whole; and a ring that has wrapped holds its newest segments.
@Suite("Traces: bytes and values")
struct RoundTripTests {
    @Test("each kind of call, outcome and decision is read as it was written", arguments: Sample.records)
    func eachRecord(_ record: CallRecord) throws {
        var book = Book()
        book.begin()
        book.record(record)
        #expect(try book.calls() == [record])
    }

    @Test("every case there is has a sample")
    func samplesAreComplete() {
        #expect(Set(Sample.records.map { $0.call.kind.rawValue }) == Set(1...20))
        #expect(Set(Sample.records.map { $0.outcome.kind.rawValue }) == Set(0...10))
    }

    @Test("names are read as they were written, before and after their segment was opened")
    func names() throws {
        var book = Book()
        let early = VMID(slot: 1, generation: 2)
        let late = VMID(slot: 7, generation: 1)
        book.begin(names: [(early, "web-1"), (late, "")])
        book.name(late, "ä name of sixty-four bytes, which is the most that one may be..")
        let items = try book.items()
        #expect(items.contains(.name(early, "web-1")))
        #expect(items.contains(.name(late, "")))
        #expect(items.contains(.name(late, "ä name of sixty-four bytes, which is the most that one may be..")))
    }

    @Test("of more decisions than are shown there is a digest, and a changed one changes it")
    func furtherDecisions() throws {
        let vm = VMID(slot: 3, generation: 1)
        var decisions = (0..<20).map { tag in
            Decision.busy(
                RequestID(origin: 1, tag: UInt64(tag)), vm,
                Busy(retryAfter: .seconds(1), reason: .draining, holder: nil))
        }
        var book = Book()
        book.begin()
        book.record(.drain, .done, decisions)
        let record = try #require(try book.calls().first)
        #expect(record.decisions == Array(decisions[..<TraceLimits.decisionsShown]))
        #expect(record.further?.count == 12)
        #expect(record == CallRecord(now: record.now, call: .drain, outcome: .done, all: decisions))
        decisions[19] = .probe
        #expect(record != CallRecord(now: record.now, call: .drain, outcome: .done, all: decisions))
    }

    @Test("the longest call fits into the room that is kept for one")
    func longestCall() throws {
        let longest =
            Sample.records.map { record in
                var book = Book()
                book.begin()
                return book.wordsOf(record, decisions: Array(repeating: Sample.granted, count: 30))
            }.max() ?? 0
        #expect(longest > 60)
        #expect(longest <= TraceLimits.callWordsMax)
    }

    @Test(
        "a ring that has wrapped holds the newest segments, each with its state, and no record is missing between them")
    func wraps() throws {
        var book = Book(shape: TraceShape(segments: 3, wordsInSegment: 400))
        book.begin()
        var calls = 0
        while book.segmentsBegun < 8 {
            if book.ring.needsSegment { book.begin() }
            calls += 1
            book.record(.acquire(Sample.request(tag: UInt64(calls)), Sample.vm), .done, [Sample.granted])
        }
        let file = try book.file()
        #expect(file.segments.map(\.number) == [6, 7, 8])
        let items = try book.items()
        #expect(!items.contains { if case .damage = $0 { true } else { false } })
        let tags = items.compactMap { item -> UInt64? in
            guard case .call(_, let record) = item, case .acquire(let request, _) = record.call else { return nil }
            return request.id.tag
        }
        #expect(tags == Array((tags.first ?? 0)...UInt64(calls)))
        #expect(tags.count > 20)
    }

    @Test("a segment that is being written over is not read, and the others are")
    func halfWrittenSegment() throws {
        var book = Book(shape: TraceShape(segments: 2, wordsInSegment: 400))
        book.begin()
        book.record(.advance, .done, [])
        book.begin()
        book.record(.drain, .done, [])
        book.beginWithoutOpening()
        #expect(try book.file().segments.map(\.number) == [2])
        #expect(try book.calls().map(\.call) == [.drain])
    }

    @Test("a state that leaves too little room for calls is not written")
    func stateTooLarge() {
        var book = Book(shape: TraceShape(segments: 2, wordsInSegment: 400))
        book.begin()
        let before = book.words
        let isTooLarge = !book.tryBegin(state: Array(repeating: 1, count: 200))
        #expect(isTooLarge)
        #expect(book.words == before)
        let fits = book.tryBegin(state: Array(repeating: 1, count: 150))
        #expect(fits)
    }
}
