import Testing

@testable import Arbiter

/// Goal: reservations are suspended exactly when launch work exceeds `Lr·W + β_L` in some window, not before.
@Suite("Launch overload")
struct LaunchOverloadTests {
    private let start = Instant(sinceBoot: .seconds(10))

    @Test("one long turn counts for as much as the same work in short ones")
    func longTurn() {
        // 120 ms of work in 120 ms, of which a fifth drains meanwhile: 96 ms, below the burst of 100 ms.
        var long = LaunchOverload(reservePerSecond: .milliseconds(200), burst: .milliseconds(100))
        long.add(.milliseconds(120), at: start + .milliseconds(120))
        #expect(!long.isOverloaded(at: start + .milliseconds(120)))
        var short = LaunchOverload(reservePerSecond: .milliseconds(200), burst: .milliseconds(100))
        for turn in 1...120 { short.add(.milliseconds(1), at: start + .milliseconds(Int64(turn))) }
        #expect(!short.isOverloaded(at: start + .milliseconds(120)))
        long.add(.milliseconds(6), at: start + .milliseconds(126))
        #expect(long.isOverloaded(at: start + .milliseconds(126)))
    }

    @Test("what drains in less than a microsecond is not forgotten")
    func fineGrains() {
        // Steps of 1.9 µs, of which 0.2 µs is work: exactly the reserve, so the level never rises.
        var overload = LaunchOverload(reservePerSecond: .milliseconds(200), burst: .microseconds(1))
        var now = start
        for _ in 0..<100_000 {
            now += Nanoseconds(1_900)
            overload.add(Nanoseconds(380), at: now)
        }
        #expect(!overload.isOverloaded(at: now))
    }
}
