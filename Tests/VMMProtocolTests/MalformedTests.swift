import Testing
import VMMProtocol

/// Bytes that are no message: each is refused by name, none does harm.
@Suite struct MalformedTests {
    @Test("each malformed vector is refused with the error it names")
    func isRefused() {
        for vector in MalformedVector.all {
            let error = decodingError(vector.record, vector.direction)
            #expect(error.map { "\($0)" } == vector.error, "\(vector.name)")
            #expect(error?.endsConnection == vector.disconnects, "\(vector.name)")
            if let code = vector.code { #expect(error?.code.rawValue == code, "\(vector.name)") }
        }
    }

    @Test("each error of the codec has a malformed vector")
    func everyErrorIsCovered() {
        let covered = Set(MalformedVector.all.map(\.error))
        for error in WireError.allCases { #expect(covered.contains("\(error)")) }
    }

    @Test("every vector cut at every length is refused")
    func truncationIsRefused() {
        for vector in Vector.all {
            let record = vector.canonicalRecord
            for length in record.indices {
                let expected: WireError = length < ProtocolLimits.headerBytes ? .recordTooShort : .sizeBeyondRecord
                let error = decodingError(Array(record[..<length]), vector.direction)
                #expect(error == expected, "\(vector.name), \(length) bytes of it")
            }
        }
    }

    @Test("every vector whose size says less than its fields is refused")
    func smallerSizeIsRefused() {
        for vector in Vector.all {
            var record = vector.canonicalRecord
            for size in record.indices {
                record[2] = UInt8(truncatingIfNeeded: size)
                record[3] = UInt8(truncatingIfNeeded: size >> 8)
                let expected: WireError = size < ProtocolLimits.headerBytes ? .sizeBelowHeader : .fieldsMissing
                #expect(decodingError(record, vector.direction) == expected, "\(vector.name), size \(size)")
            }
        }
    }

    @Test(
        "mutated messages are refused or understood, and what is understood encodes to the same values",
        arguments: 1...8)
    func mutationsAreHarmless(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let records = Vector.all.map { ($0.record, $0.direction) }
        var understood = 0
        for _ in 0..<12_500 {
            let (original, direction) = records.randomElement(using: &random)!
            let record = mutated(original, &random)
            guard let message = try? AnyMessage(decoding: record, direction: direction) else { continue }
            understood += 1
            let again = try AnyMessage(decoding: message.encoded, direction: direction)
            try #require(again == message, "seed \(seed): \(record)")
            try #require(again.encoded == message.encoded, "seed \(seed): \(record)")
        }
        // Otherwise the mutations would test nothing but the header.
        #expect(understood > 2_000)
    }

    @Test("random bytes are refused or understood")
    func noiseIsHarmless() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<10_000 {
            let count = Int.random(in: 0...1_100, using: &random)
            let record = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            for direction in Direction.allCases {
                let message = try? AnyMessage(decoding: record, direction: direction)
                #expect(message == nil || count >= ProtocolLimits.headerBytes)
            }
        }
    }

    private func decodingError(_ record: [UInt8], _ direction: Direction) -> WireError? {
        do throws(WireError) {
            _ = try AnyMessage(decoding: record, direction: direction)
            return nil
        } catch {
            return error
        }
    }

    /// A few bytes changed, and sometimes the end cut off or drawn out.
    private func mutated(_ original: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var record = original
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: .min ... .max, using: &random)]
            record[Int.random(in: record.indices, using: &random)] = interesting.randomElement(using: &random)!
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: record.removeLast(Int.random(in: 0...record.count, using: &random))
        case 1: record += [UInt8](repeating: 0xEE, count: Int.random(in: 1...600, using: &random))
        default: break
        }
        return record
    }
}

/// A small random generator with a seed, so that a failure can be repeated (Steele, Lea, Flood: OOPSLA 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
