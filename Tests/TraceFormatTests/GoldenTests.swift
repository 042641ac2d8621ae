import Arbiter
import Testing

@testable import TraceFormat

/// Goal: the bytes of a trace do not change by accident. A change here is a new version of the format.
@Suite("Traces: golden bytes")
struct GoldenTests {
    private func words(_ record: CallRecord) -> [String] {
        var book = Book()
        book.begin(state: [0xAA])
        let start = TraceLimits.headerWords + TraceLimits.segmentHeaderWords + RecordHead.words + 1
        let length = book.wordsOf(record, decisions: record.decisions) + 2
        return book.words[start..<start + length].map(hexadecimal)
    }

    private func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test("a request and its grant")
    func acquire() {
        let call = ArbiterCall.acquire(Sample.request(tag: 42, maxWait: .milliseconds(9)), Sample.vm)
        #expect(
            words(CallRecord(now: Sample.now, call: call, outcome: .done, decisions: [Sample.granted])) == [
                // Kind, length and number of the record; its checksum; when.
                "0000100001000703", "0000000000000002", "6b5bed075ab843a6", "0000010203040506",
                // Origin, tag, kind and units, the longest wait, the VM.
                "aabbccdd00000001", "000000000000002a", "0000000100000200", "0000000000895440", "0000000900000005",
                // The grant: kind and units, origin, tag, VM, turn, when to start, lease.
                "0000002000010101", "aabbccdd00000001", "000000000000002a", "0000000900000005", "000000000000004d",
                "00000000006acfc0", "000000000a9c1080",
            ])
    }

    @Test("the file's header, and a segment's")
    func headers() {
        var book = Book()
        book.begin(state: [0xAA], names: [(Sample.vm, "web-1")])
        let segment = TraceLimits.headerWords
        #expect(
            book.words[..<12].map(hexadecimal) == [
                "4543415254535053", "0000000000000001", "0000000000000002", "00000000000007d0", "0123456789abcdef",
                "000000003b9aca00", "18fae27693b40000", "000000332e322e31", "0000000000000000", "0000000000000000",
                "0000000000000000", "b05769c1dc24e555",
            ])
        #expect(
            book.words[segment..<segment + 19].map(hexadecimal) == [
                "0000000000000001", "0000000000000001", "000000003b9aca00", "18fae276cf4eca00", "22f525b098a5a254",
                "0000000000000002", "0000000000000000", "0000000000000000",
                // The state, and a name.
                "0000040000000001", "0000000000000001", "34d814b7b2f21365", "00000000000000aa",
                "0000060000000002", "0000000000000002", "6543c70afb5f7196", "0000000900000005", "0000000000000005",
                "000000312d626577", "0000000000000000",
            ])
    }

    @Test("a release that a request came with, and the refusal of that")
    func releaseAndAcquire() {
        let outcome = TurnOutcome(unitsDone: 3, reportsDeviceTrouble: true, measured: .microseconds(7))
        let call = ArbiterCall.releaseAndAcquire(Sample.turn, outcome, Sample.request(tag: 1), Sample.vm)
        let busy = Decision.busy(
            Sample.id, Sample.vm, Busy(retryAfter: .seconds(2), reason: .limit, holder: Sample.other))
        #expect(
            words(CallRecord(now: Sample.now, call: call, outcome: .done, decisions: [busy])) == [
                "0000130001000903", "0000000000000002", "41dac19ea8d5f48c", "0000010203040506",
                // The turn, pages done and trouble, the time measured; the request and the VM.
                "000000000000004d", "0000000100000003", "0000000000001b58", "aabbccdd00000001", "0000000000000001",
                "0000000100000200", "8000000000000000", "0000000900000005",
                // The refusal: reason, origin, tag, VM, when to come back, and who stands in the way.
                "0000000000000103", "aabbccdd00000001", "000000000000002a", "0000000900000005", "0000000077359400",
                "0000000000000001", "00000000fffffffe",
            ])
    }
}
