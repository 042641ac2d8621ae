import Arbiter
import TraceFormat

/// A trace in memory.
struct Memory {
    private var ring: TraceRing
    private(set) var words: [UInt64]

    init(_ shape: TraceShape) {
        ring = TraceRing(shape)
        words = Array(repeating: 0, count: shape.words)
        let origin = TraceOrigin(epoch: 1, startedAt: 2, startedAtSinceEpoch: 3, programVersion: "fuzz")
        write { $0.begin(origin, into: &$1) }
    }

    var needsSegment: Bool { ring.needsSegment }

    mutating func beginSegment(_ state: [UInt64], at now: Instant) {
        write { ring, words in
            guard ring.beginSegment(state: state, names: 1, into: &words) else { return }
            ring.name(VMID(slot: 0, generation: 1), Array("vm".utf8), into: &words)
            ring.openSegment(at: now, sinceEpoch: 4, into: &words)
        }
    }

    mutating func record(_ record: CallRecord) {
        write { $0.record(record.call, record.outcome, record.decisions, from: 0, at: record.now, into: &$1) }
    }

    mutating func set(_ word: Int, to value: UInt64) { words[word] = value }

    private mutating func write(_ body: (inout TraceRing, inout MutableSpan<UInt64>) -> Void) {
        var written = ring
        var span = words.mutableSpan
        body(&written, &span)
        ring = written
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * 8)
        for word in words { for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) } }
        return bytes
    }
}
