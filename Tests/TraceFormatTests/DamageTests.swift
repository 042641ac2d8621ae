import Arbiter
import Testing

@testable import TraceFormat

/// Goal: whatever is wrong with a file is told with its place, and costs no more than it must.
@Suite("Traces: damage")
struct DamageTests {
    private static func wrapped() -> Book {
        var book = Book(shape: TraceShape(segments: 3, wordsInSegment: 400))
        book.begin()
        for tag in 1...60 as ClosedRange<UInt64> {
            if book.ring.needsSegment { book.begin() }
            book.record(.acquire(Sample.request(tag: tag), Sample.vm), .done, [Sample.granted])
        }
        return book
    }

    @Test("what is no trace is refused, and why is told")
    func noTrace() {
        #expect(problem([]) == "at byte 0: it does not begin with \"SPSTRACE\": this is no trace of spschedd")
        #expect(problem(Array("#!/bin/sh\n".utf8))?.contains("no trace of spschedd") == true)
        #expect(problem(TraceMagic.bytes) == "at byte 8: it ends within its header")
    }

    @Test("a newer version is named")
    func newer() {
        var book = Self.wrapped()
        book.words[1] = 7
        #expect(
            problem(book.bytes)?.hasPrefix("at byte 8: it is of version 7, and this program reads version 1") == true)
    }

    @Test("a file that was cut says how long it should be")
    func cut() {
        let bytes = Self.wrapped().bytes
        #expect(problem(Array(bytes[..<8_000]))?.contains("should have \(bytes.count) bytes") == true)
        for count in stride(from: 0, to: bytes.count, by: 97) { #expect(problem(Array(bytes[..<count])) != nil) }
    }

    @Test("a damaged header is noticed")
    func header() {
        for word in 2..<11 {
            var book = Self.wrapped()
            book.words[word] ^= 1 << 5
            #expect(problem(book.bytes) != nil, "word \(word)")
        }
    }

    @Test("a changed bit of any record is noticed: what stood before it and the segments after it are read")
    func anyBit() throws {
        let sound = Self.wrapped()
        let all = try sound.calls()
        let segments = try sound.file().segments
        for segment in segments {
            for word in stride(
                from: segment.range.lowerBound + TraceLimits.segmentHeaderWords, to: segment.range.upperBound, by: 5)
            where sound.words[word] != 0 {
                var book = sound
                book.words[word] ^= 1 << UInt64(word % 64)
                let items = try book.items()
                let calls = try book.calls()
                let damages = items.filter { if case .damage = $0 { true } else { false } }
                // Beyond the last record of the newest segment there may be older ones, which are nobody's business.
                guard calls != all else { continue }
                #expect(damages.count == 1, "word \(word)")
                #expect(calls.allSatisfy(all.contains))
            }
        }
    }

    @Test("a record whose last word was not yet written is not read: the trace ends before it")
    func torn() throws {
        var book = Book()
        book.begin()
        book.record(.drain, .done, [])
        let complete = book
        book.record(.acquire(Sample.request(tag: 1), Sample.vm), .done, [Sample.granted])
        for torn in 0..<book.words.count where book.words[torn] != complete.words[torn] {
            // The writer died after all words but this one, in whatever order they came.
            var words = book
            words.words[torn] = complete.words[torn]
            words.words[TraceLimits.headerWords + 5] = complete.words[TraceLimits.headerWords + 5]
            #expect(try words.calls().map(\.call) == [.drain])
            #expect(try !words.items().contains { if case .damage = $0 { true } else { false } })
        }
    }

    @Test("a segment whose header is damaged is missed, and what is missing is told")
    func segmentHeader() throws {
        var book = Self.wrapped()
        let middle = try book.file().segments[1]
        book.words[middle.range.lowerBound + 1] ^= 1
        let items = try book.items()
        let told = items.compactMap { if case .damage(let problem) = $0 { problem.message } else { nil } }
        #expect(
            told == [
                "records \(middle.firstRecord) to \(middle.lastRecord) are missing before segment \(middle.number + 1)"
            ])
    }

    @Test("without one whole segment nothing can be replayed")
    func nothingWhole() {
        let book = Book()
        #expect(problem(book.bytes)?.contains("no segment of it is whole") == true)
    }

    @Test("words that mean nothing are refused, though their checksum is right")
    func senseless() throws {
        for (index, value) in [(0, UInt64(0x99)), (0, 1 << 50 | 3), (5, .max), (6, .max), (8, 0xFF)] {
            var book = Book()
            book.begin()
            book.record(.acquire(Sample.request(tag: 1), Sample.vm), .done, [Sample.granted])
            let record = TraceLimits.headerWords + TraceLimits.segmentHeaderWords + RecordHead.words + 3
            book.words[record + index] = value
            let length = Int(book.words[record] >> 40)
            if length >= RecordHead.words, record + length <= book.words.count {
                book.words[record + 2] = book.words.checksum(record..<record + length)
            }
            let items = try book.items()
            #expect(Array(items).count == 2, "\(index): \(value)")
        }
    }

    private func problem(_ bytes: [UInt8]) -> String? {
        do {
            _ = try TraceFile(bytes)
            return nil
        } catch { return error.description }
    }

    @Test("a reader holds one segment at a time, and notices when it is written over or cut meanwhile")
    func oneSegmentAtATime() throws {
        let book = Self.wrapped()
        let shape = try book.file().shape
        let source = WatchedSource(words: book.words, mostAtOnce: max(shape.wordsInSegment, TraceLimits.headerWords))
        let file = try TraceFile(source, beginning: TraceMagic.bytes)
        #expect(Array(TraceReader(file)) == (try book.items()))

        var later = book.words
        later[file.segments[0].range.lowerBound] += 3
        let overwritten = WatchedSource(words: book.words, later: later)
        #expect(
            try damages(TraceFile(overwritten, beginning: TraceMagic.bytes)) == [
                "segment \(file.segments[0].number) was written over while the trace was read"
            ])
        let cut = WatchedSource(words: book.words, later: Array(book.words[..<TraceLimits.headerWords]))
        #expect(
            try damages(TraceFile(cut, beginning: TraceMagic.bytes)) == [String](repeating: "cut", count: 3))
    }

    private func damages(_ file: TraceFile) -> [String] {
        TraceReader(file).compactMap { if case .damage(let problem) = $0 { problem.message } else { nil } }
    }
}

/// Words that are others once whole segments are read, and no more of them at once than a reader should want.
private struct WatchedSource: TraceSource {
    let words: [UInt64]
    var later: [UInt64]?
    var mostAtOnce = Int.max

    var count: Int { words.count }

    func words(_ range: Range<Int>) throws(TraceProblem) -> [UInt64] {
        #expect(range.count <= mostAtOnce)
        guard let later, range.count > TraceLimits.segmentHeaderWords, range.lowerBound > 0 else {
            return Array(words[range])
        }
        guard range.upperBound <= later.count else { throw TraceProblem(word: range.lowerBound, "cut") }
        return Array(later[range])
    }
}
