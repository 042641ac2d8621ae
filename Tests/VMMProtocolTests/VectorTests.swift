import Arbiter
import Testing
import VMMProtocol

/// The codec against the golden vectors: what every client in every language has to agree on.
@Suite struct VectorTests {
    @Test("each vector decodes to the values it names")
    func decodes() throws {
        for vector in Vector.all {
            let message = try AnyMessage(decoding: vector.record, direction: vector.direction)
            #expect(message.fields == vector.decoded, "\(vector.name)")
        }
    }

    @Test("each vector's values encode to its bytes")
    func encodes() throws {
        for vector in Vector.all {
            let message = try AnyMessage(decoding: vector.record, direction: vector.direction)
            #expect(message.encoded == vector.canonicalRecord, "\(vector.name)")
        }
    }

    @Test("what was ignored on reading stays ignored: the canonical bytes decode to the same values")
    func canonicalAgrees() throws {
        for vector in Vector.all {
            let message = try AnyMessage(decoding: vector.record, direction: vector.direction)
            let canonical = try AnyMessage(decoding: vector.canonicalRecord, direction: vector.direction)
            #expect(canonical == message, "\(vector.name)")
        }
    }

    @Test("each message type has vectors: a plain one, one with maximal values, one with bytes beyond those known")
    func everyTypeIsCovered() throws {
        for type in MessageType.allCases {
            let ofType = Vector.all.filter { $0.decoded["type"] == .text(type.name) }
            #expect(ofType.contains { $0.canonical == nil }, "\(type.name) has no plain vector")
            if type != .draining {
                #expect(
                    ofType.contains { $0.name.contains("maximum") || $0.name.contains("greatest tag") },
                    "\(type.name) has no vector with maximal values")
            }
            #expect(ofType.contains { $0.name.contains("longer than known") }, "\(type.name) has no longer vector")
        }
    }

    @Test("each code, reason, kind and state has a vector")
    func everyCodeIsCovered() {
        func covered(_ type: MessageType, _ field: String) -> Set<Int64> {
            Set(
                Vector.all.compactMap { vector in
                    guard vector.decoded["type"] == .text(type.name), case .number(let value)? = vector.decoded[field]
                    else { return nil }
                    return value
                })
        }
        #expect(covered(.error, "code").isSuperset(of: ErrorCode.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.busy, "reason").isSuperset(of: BusyReason.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.acquire, "kind").isSuperset(of: CommandKind.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.granted, "kind").isSuperset(of: CommandKind.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.deviceState, "state").isSuperset(of: DeviceState.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.welcome, "device_state").isSuperset(of: DeviceState.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.revoked, "reason").isSuperset(of: RevocationReason.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.register, "retry_policy").isSuperset(of: RetryPolicy.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.register, "failure_mode").isSuperset(of: FailureMode.allCases.map { Int64($0.rawValue) }))
        #expect(covered(.launchEnd, "outcome").isSuperset(of: LaunchOutcome.allCases.map { Int64($0.rawValue) }))
    }

    @Test("the least size of each type is the size of its shortest canonical vector")
    func leastSizes() {
        for type in MessageType.allCases {
            let sizes = Vector.all.filter { $0.decoded["type"] == .text(type.name) }.map(\.canonicalRecord.count)
            #expect(sizes.min() == type.leastSize, "\(type.name)")
        }
    }

    @Test("vector names are unique")
    func namesAreUnique() {
        let names = Vector.all.map(\.name)
        #expect(Set(names).count == names.count)
    }
}
