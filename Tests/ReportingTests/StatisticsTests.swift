import Arbiter
import Reporting
import Testing

/// Goal: figures are what their names say. Method: known answers.
@Suite struct StatisticsTests {
    private func latencies(_ milliseconds: [Int64], cutFrom: Int64 = .max) -> [Latency] {
        milliseconds.map { Latency(.milliseconds($0), isCut: $0 >= cutFrom) }
    }

    @Test func `Percentiles are nearest ranks`() throws {
        let statistics = try #require(LatencyStatistics(latencies((1...100).map { $0 }.shuffled())))
        #expect(statistics.p5 == Latency(.milliseconds(5)))
        #expect(statistics.p50 == Latency(.milliseconds(50)))
        #expect(statistics.p95 == Latency(.milliseconds(95)))
        #expect(statistics.p99 == Latency(.milliseconds(99)))
        #expect(statistics.max == Latency(.milliseconds(100)))
        let few = try #require(LatencyStatistics(latencies([30, 10, 20])))
        #expect([few.p50, few.p99, few.max].map(\.time) == [.milliseconds(20), .milliseconds(30), .milliseconds(30)])
        #expect(LatencyStatistics([]) == nil)
    }

    @Test func `A cut one marks every percentile at or beyond it, and none before`() throws {
        let statistics = try #require(LatencyStatistics(latencies([10, 20, 30, 4_000], cutFrom: 4_000)))
        #expect(!statistics.p50.isCut)
        #expect(statistics.p99.isCut && statistics.max.isCut)
        // It was cut early: what it would have taken may be more than any of the others took.
        let early = try #require(
            LatencyStatistics([Latency(.milliseconds(5), isCut: true)] + latencies([10, 20, 30])))
        #expect(early.p50.isCut && early.max.isCut)
    }

    @Test func `A cut latency is shown as a least value`() {
        #expect(Latency(.milliseconds(4_040), isCut: true).text == "> 4.0 s (cut)")
        #expect(Latency(.microseconds(233_400)).text == "233 ms")
        #expect(Latency(.milliseconds(33_400)).text == "33.4 s")
    }

    @Test func `A distribution rises to one, and ends before what was cut`() {
        let whole = Latencies(latencies((1...1_000).map { $0 })).distribution(steps: 4)
        #expect(whole.map(\.time) == [250, 500, 750, 1_000].map(Nanoseconds.milliseconds))
        #expect(whole.map(\.perMille) == [250, 500, 750, 1_000])
        let cut = Latencies(latencies([1, 2, 9, 9], cutFrom: 9)).distribution(steps: 10)
        #expect(cut.map(\.perMille) == [250, 500])
        #expect(Latencies([]).distribution(steps: 10).isEmpty)
    }

    @Test(arguments: [([4, 4, 4, 4], 1.0), ([1, 0, 0, 0], 0.25), ([1, 2, 3], 6.0 * 6 / (3 * 14))])
    func `Jain's index has its known values`(shares: [Int], index: Double) throws {
        #expect(abs(try #require(JainIndex.of(shares)) - index) < 1e-12)
    }

    @Test func `Jain's index of nothing is unknown`() {
        #expect(JainIndex.of([Int]()) == nil)
        #expect(JainIndex.of([0, 0]) == nil)
    }

    @Test func `What others cover is taken out of a span, however they overlap`() {
        func span(_ start: Int64, _ end: Int64) -> TimeSpan {
            TimeSpan(start: Instant(sinceBoot: Nanoseconds(start)), end: Instant(sinceBoot: Nanoseconds(end)))
        }
        let all = span(0, 100)
        #expect(all.without([]) == [all])
        let others = [span(40, 60), span(10, 20), span(15, 30), span(90, 200)]
        #expect(all.without(others) == [span(0, 10), span(30, 40), span(60, 90)])
        #expect(all.without([span(-5, 200)]) == [])
    }
}
