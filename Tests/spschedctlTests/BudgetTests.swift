import Arbiter
import Testing

@testable import spschedctl

/// Goal: the rates that the budget shows are what they are called. Method: known answers.
@Suite struct BudgetRateTests {
    @Test func `A rate is what lies between the first and the last report`() {
        let reports = [4, 0, 1, 2, 3].map { Instant(sinceBoot: .milliseconds(500 * $0)) }
        #expect(Budget.rate(reports) == 2)
        #expect(Budget.rate([reports[0]]) == nil)
        #expect(Budget.rate([]) == nil)
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
