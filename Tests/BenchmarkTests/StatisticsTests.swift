import Testing

@testable import spschedd_bench

/// Goal: a figure is what its name says. Method: known answers.
@Suite struct StatisticsTests {
    @Test(arguments: [([3], 3), ([1, 2], 1.5), ([9, 1, 5], 5), ([4, 1, 3, 2], 2.5)] as [([Double], Double)])
    func `The median is the middle of the sorted samples, or of the two in the middle`(
        samples: [Double], median: Double
    ) {
        #expect(Statistics.median(samples) == median)
    }

    @Test func `Ratios are made pair by pair, before the median is taken`() {
        // In the second round the whole machine was ten times as slow.
        let ratios = Statistics.ratios([15, 160, 18], to: [10, 100, 10])
        #expect(ratios == [1.5, 1.6, 1.8])
        #expect(Statistics.median(ratios) == 1.6)
    }

    @Test func `A mark at most is met by its own value, and missed above`() {
        let goal = Metric.Goal.atMost(mark: 1.5, aim: 1.25)
        #expect(goal.isMet(by: 1.5) && !goal.isMet(by: 1.51))
        #expect(goal.isAimMet(by: 1.25) && !goal.isAimMet(by: 1.26))
    }

    @Test func `A mark at least is met by its own value, and missed below`() {
        let goal = Metric.Goal.atLeast(mark: 0.7, aim: nil)
        #expect(goal.isMet(by: 0.7) && !goal.isMet(by: 0.69))
        #expect(!goal.isAimMet(by: 2))
    }

    @Test(
        arguments: [
            (0, "0"), (1.254, "1.25"), (0.96, "0.96"), (0.000_5, "0.00050"), (12.34, "12.3"), (123.4, "123"),
            (43_120.7, "43121"), (1.05, "1.05"), (9.996, "10.0"), (-1.5, "-1.50"),
        ] as [(Double, String)])
    func `Figures are printed with three digits that count`(value: Double, text: String) {
        #expect(value.short == text)
    }
}
