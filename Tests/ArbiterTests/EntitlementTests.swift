import Testing

@testable import Arbiter

/// Goal: exact max-min division by weight. Method: examples with known answers, and properties over seeded claims.
@Suite("Entitlements")
struct EntitlementTests {
    private func claim(_ reserved: Int64 = 0, most: Int64? = nil, weight: Int64 = 1) -> Claim {
        Claim(reserved: .microseconds(reserved), most: most.map { .microseconds($0) }, weight: Weight(weight))
    }

    /// Entitlements in microseconds, rounded to the nearest.
    private func divide(_ claims: [Claim], _ pool: Int64) -> [Int64] {
        entitlements(of: claims, pool: .microseconds(pool)).map { ($0.count + 500) / 1_000 }
    }

    @Test("claims of 10, 20.5, 22.6 and two without limit share 100 as 10, 20.5, 22.6, 23.45 and 23.45")
    func exact() {
        let claims = [claim(most: 10_000), claim(most: 20_500), claim(most: 22_600), claim(), claim()]
        #expect(divide(claims, 100_000) == [10_000, 20_500, 22_600, 23_450, 23_450])
    }

    @Test("what is left is shared by weight")
    func weights() {
        #expect(divide([claim(weight: 100), claim(weight: 200), claim(weight: 400)], 700) == [100, 200, 400])
        #expect(divide([claim(most: 50, weight: 100), claim(weight: 200), claim(weight: 400)], 650) == [50, 200, 400])
    }

    @Test("nobody gets less than its reservation, and the others share the rest")
    func reservations() {
        #expect(divide([claim(60), claim(), claim()], 100) == [60, 20, 20])
        #expect(divide([claim(60), claim(30), claim()], 100) == [60, 30, 10])
        #expect(divide([claim(10), claim(), claim()], 90) == [30, 30, 30])
    }

    @Test("when every limit binds, the pool is not used up")
    func allLimited() {
        #expect(divide([claim(most: 10), claim(20, most: 20)], 100) == [10, 20])
        #expect(divide([claim()], 100) == [100])
        #expect(divide([], 100) == [])
    }

    @Test(
        "sums never exceed the pool, and are short of it by rounding alone if somebody wants more",
        arguments: 1...200 as ClosedRange<UInt64>)
    func sums(seed: UInt64) {
        var random = SeededRandom(seed)
        let pool = Nanoseconds.milliseconds(750)
        var left = pool.count
        let claims = (0..<(1 + random.below(100))).map { _ in
            let reserved = random.below(2) == 0 ? 0 : min(left, Int64(random.below(15_000_000)))
            left -= reserved
            let most = random.below(3) == 0 ? max(reserved, Int64(random.below(40_000_000))) : nil
            return Claim(
                reserved: Nanoseconds(reserved), most: most.map { Nanoseconds($0) },
                weight: Weight(1 + Int64(random.below(10_000))))
        }
        let shares = entitlements(of: claims, pool: pool)
        let sum = shares.reduce(.zero, +)
        #expect(sum <= pool)
        #expect(zip(shares, claims).allSatisfy { $0 >= $1.reserved && $0 <= ($1.most ?? pool) })
        if claims.contains(where: { $0.most == nil }) {
            let weights = claims.reduce(0) { $0 + $1.weight.value }
            #expect(pool - sum <= Nanoseconds(weights / 512 + Int64(claims.count) + 1))
        }
        isMaxMin(shares, claims)
    }

    /// Nobody below its limit is at a lower level than somebody above its reservation, but for rounding.
    private func isMaxMin(_ shares: [Nanoseconds], _ claims: [Claim]) {
        var least = Int64.max
        var most: Int64 = 0
        for (share, claim) in zip(shares, claims) {
            let level = share.count * 1_000 / claim.weight.value
            if share < claim.most ?? .seconds(1) { least = min(least, level) }
            if share > claim.reserved { most = max(most, level) }
        }
        #expect(least >= most - 1_001 || least == .max)
    }

    @Test("a VM's report tells what it is entitled to, while launches use their reserve and while none runs")
    func reported() throws {
        let host = Host()
        let limited = try host.register(Registration(reservationWanted: .zero, limit: .perSecond(10)))
        let free = try host.register(Registration(reservationWanted: .zero))
        #expect(host.report(of: limited)?.entitlement == .perSecond(10))
        #expect(host.report(of: free)?.entitlement == .perSecond(90))
        // 950 ms/s are 126.667 reports.
        #expect(host.report(of: free)?.entitlementWithoutLaunches == Rate(millihertz: 116_666))
    }
}
