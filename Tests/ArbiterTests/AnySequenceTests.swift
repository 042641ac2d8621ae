import Testing

/// Goal: no sequence of calls, however senseless, breaks an invariant, and each request gets exactly one terminal
/// answer. Method: seeded random calls with seeded random arguments, on a small host with all features in use.
@Suite("Any sequence of calls")
struct AnySequenceTests {
    @Test("keeps the invariants, and answers each request once", arguments: 1...40 as ClosedRange<UInt64>)
    func calls(seed: UInt64) {
        var caller = RandomCaller(seed: seed)
        for _ in 0..<600 { caller.act() }
        caller.settle()
        #expect(caller.unanswered == [])
        #expect(caller.answeredTwice == [])
        #expect(caller.granted > 30, "too little happened")
    }
}
