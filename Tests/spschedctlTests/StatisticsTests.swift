import Arbiter
import Testing

@testable import spschedctl

/// Goal: the figures of the demo are what their names say. Method: known answers.
@Suite struct StatisticsTests {
    private func latencies(_ values: [Double], cutFrom: Double = .infinity) -> [BootLatency] {
        values.map { BootLatency(milliseconds: $0, isCut: $0 >= cutFrom) }
    }

    @Test func `Percentiles are nearest ranks`() throws {
        let statistics = try #require(BootStatistics(latencies((1...100).map(Double.init).shuffled())))
        #expect(statistics.p50 == BootLatency(milliseconds: 50))
        #expect(statistics.p99 == BootLatency(milliseconds: 99))
        #expect(statistics.max == BootLatency(milliseconds: 100))
        let few = try #require(BootStatistics(latencies([30, 10, 20])))
        #expect([few.p50, few.p99, few.max].map(\.milliseconds) == [20, 30, 30])
        #expect(BootStatistics([]) == nil)
    }

    @Test func `A cut launch marks every percentile at or beyond it, and none before`() throws {
        let statistics = try #require(BootStatistics(latencies([10, 20, 30, 4_000], cutFrom: 4_000)))
        #expect(!statistics.p50.isCut)
        #expect(statistics.p99.isCut && statistics.max.isCut)
        // It was cut early: what it would have taken may be more than any of the others took.
        let early = try #require(
            BootStatistics([BootLatency(milliseconds: 5, isCut: true)] + latencies([10, 20, 30])))
        #expect(early.p50.isCut && early.max.isCut)
    }

    @Test func `A cut latency is shown as a least value`() {
        #expect(BootLatency(milliseconds: 4_040, isCut: true).text == "> 4.0 s (cut)")
        #expect(BootLatency(milliseconds: 233.4).text == "233 ms")
        #expect(BootLatency(milliseconds: 33_400).text == "33.4 s")
    }

    @Test(arguments: [([4, 4, 4, 4], 1.0), ([1, 0, 0, 0], 0.25), ([1, 2, 3], 6.0 * 6 / (3 * 14))])
    func `Jain's index has its known values`(shares: [Int], index: Double) throws {
        #expect(abs(try #require(Fairness.jain(shares)) - index) < 1e-12)
    }

    @Test func `Jain's index of nothing is unknown`() {
        #expect(Fairness.jain([]) == nil)
        #expect(Fairness.jain([0, 0]) == nil)
    }

    @Test func `What others cover is taken out of a span, however they overlap`() {
        func span(_ start: Int64, _ end: Int64) -> spschedctl.Span {
            spschedctl.Span(start: Instant(sinceBoot: Nanoseconds(start)), end: Instant(sinceBoot: Nanoseconds(end)))
        }
        let all = span(0, 100)
        #expect(all.without([]) == [all])
        let others = [span(40, 60), span(10, 20), span(15, 30), span(90, 200)]
        #expect(all.without(others) == [span(0, 10), span(30, 40), span(60, 90)])
        #expect(all.without([span(-5, 200)]) == [])
    }

    @Test func `A rate is what lies between the first and the last report`() {
        let reports = [4, 0, 1, 2, 3].map { Instant(sinceBoot: .milliseconds(500 * $0)) }
        #expect(Budget.rate(reports) == 2)
        #expect(Budget.rate([reports[0]]) == nil)
        #expect(Budget.rate([]) == nil)
    }

    @Test func `Numbers are written with as many decimals as asked`() {
        #expect(Format.fixed(0.05, 1) == "0.1")
        #expect(Format.fixed(-1.25, 1) == "-1.3")
        #expect(Format.fixed(-0.001, 2) == "0.00")
        #expect(Format.fixed(1234.5678, 3) == "1234.568")
        #expect(Format.fixed(99.5, 0) == "100")
        #expect(Format.rate(millihertz: 25) == "0.03/s")
        #expect(Format.duration(nanoseconds: 7_500_000) == "7.5 ms")
    }
}

/// Goal: the shares that the budget is held against are exact. Method: cases whose answer is known.
@Suite struct WaterFillingTests {
    private func claim(_ weight: Double, floor: Double = 0, ceiling: Double = .infinity) -> WaterFilling.Claim {
        WaterFilling.Claim(weight: weight, floor: floor, ceiling: ceiling)
    }

    private func expect(_ shares: [Double], are expected: [Double]) {
        #expect(zip(shares, expected).allSatisfy { abs($0 - $1) < 1e-9 } && shares.count == expected.count, "\(shares)")
    }

    @Test func `Shares follow weights where nothing binds`() {
        expect(WaterFilling.shares(of: 70, [claim(100), claim(200), claim(400)]), are: [10, 20, 40])
    }

    @Test func `What a limit leaves goes to the others, and so on down`() {
        // Only two rounds of redistribution would give the third 23.17, more than it takes.
        let claims = [10, 20.5, 22.6, 1_000, 1_000].map { claim(1, ceiling: $0) }
        expect(WaterFilling.shares(of: 100, claims), are: [10, 20.5, 22.6, 23.45, 23.45])
    }

    @Test func `Reservations come first, and what is left is shared`() {
        let claims = [claim(100, floor: 1, ceiling: 1), claim(100, floor: 5), claim(300)]
        expect(WaterFilling.shares(of: 46, claims), are: [1, 15, 30])
    }

    @Test func `Reservations that do not fit shrink alike`() {
        expect(WaterFilling.shares(of: 3, [claim(1, floor: 2), claim(1, floor: 4), claim(9)]), are: [1, 2, 0])
        expect(WaterFilling.shares(of: 0, [claim(1), claim(1)]), are: [0, 0])
    }
}
