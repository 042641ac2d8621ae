import Arbiter
import SPModel
import Simulation

extension HostPlan {
    /// A short plan of everything that may be on a host, in any proportion.
    static func random(seed: UInt64) -> HostPlan {
        var draw = Draw(random: SplitMix64(seed: seed))
        var plan = HostPlan.make(
            draw.pick(policies), seed: seed, warmUp: draw.milliseconds(0...1_000),
            duration: draw.milliseconds(1...5_000), grace: draw.milliseconds(0...5_000))
        plan.configuration = draw.configuration()
        if draw.chance(oneIn: 4) {
            plan.profile = plan.profile.scaled(
                reportPercent: draw.number(25...400), pagePercent: draw.number(25...400))
        }
        plan.guests = (0..<draw.number(0...3)).map { draw.guests("guests \($0)") }
        plan.launches = (0..<draw.number(0...3)).map { draw.launches("launches \($0)") }
        if draw.chance(oneIn: 4) {
            plan.teardowns = [TeardownBursts(virtualMachines: 10, every: draw.milliseconds(1...2_000))]
        }
        if draw.chance(oneIn: 4) { plan.faults = (0...draw.number(0...2)).map { _ in draw.fault() } }
        if draw.chance(oneIn: 8) { plan.slowOneIn = UInt64(draw.number(1...100)) }
        return plan
    }

    private static let policies: [HostPolicy] = [
        .mutex, .rateLimit, .priority(hold: false, floor: false), .priority(hold: true, floor: true), .spschedd,
        .spschedd, .spschedd, .spschedd,
    ]
}

private struct Draw {
    var random: SplitMix64

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(random.next() >> 33) % (range.upperBound - range.lowerBound + 1)
    }

    mutating func milliseconds(_ range: ClosedRange<Int64>) -> Nanoseconds { .milliseconds(number(range)) }
    mutating func chance(oneIn count: Int64) -> Bool { number(1...count) == 1 }
    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(number(0...Int64(choices.count - 1)))] }

    mutating func configuration() -> Configuration {
        var configuration = Configuration()
        if chance(oneIn: 3) { configuration.floorShare = Share(percent: number(5...50)) }
        if chance(oneIn: 4) { configuration.hold = milliseconds(0...10) }
        if chance(oneIn: 4) { configuration.chunkPages = UInt32(number(1...64)) }
        if chance(oneIn: 4) { configuration.launchOrder = .shortestFirst }
        if chance(oneIn: 6) { configuration.launchWallClockMax = milliseconds(10...2_000) }
        if chance(oneIn: 6) {
            configuration.launchBucketAccount = LaunchBucket(perSecond: .milliseconds(300), burst: .milliseconds(500))
        }
        return configuration
    }

    mutating func guests(_ name: String) -> GuestGroup {
        let driver = pick(DriverModel.allCases)
        var registration = Registration(reservationWanted: pick([.zero, .perSecond(1), .perSecond(20)]))
        if chance(oneIn: 3) { registration.limit = pick([Rate(millihertz: 25), .perSecond(1), .perSecond(5)]) }
        if driver == .once { registration.retryPolicy = .once }
        if driver == .never { registration.retryPolicy = .never }
        let pace: GuestPace = pick([
            .loop, .schedule(every: milliseconds(1...3_000)), .period(every: milliseconds(1...3_000)),
            .bursts(of: Int(number(1...10)), every: milliseconds(1...9_000)),
        ])
        let model = GuestModel(
            pace: pace, driver: driver, kind: pick([.report, .derivedKey, .otherGuestRequest]),
            probesLength: chance(oneIn: 4))
        return GuestGroup(
            name, count: Int(number(0...25)), registration: chance(oneIn: 5) ? nil : registration, model: model,
            phase: pick([.random(), .aligned, .spread(over: milliseconds(0...3_000))]))
    }

    mutating func launches(_ name: String) -> LaunchGroup {
        let pattern: LaunchPattern = pick([
            .oneAfterAnother, .continuous(atOnce: Int(number(1...12))), .evenly(every: milliseconds(1...3_000)),
            .random(perMinute: number(1...600)), .storm(of: Int(number(1...30)), every: milliseconds(10...5_000)),
        ])
        var group = LaunchGroup(
            name, profile: pick(LaunchProfile.all), virtualCPUs: UInt32(number(1...40)),
            registration: chance(oneIn: 6) ? nil : Registration(),
            style: pick([.regions, .pages(UInt32(number(1...40))), .whole, .legacy]), pattern: pattern)
        if chance(oneIn: 3) { group.misconduct.declaredPages = UInt32(number(1...100)) }
        if chance(oneIn: 3) { group.misconduct.crashesOneIn = UInt64(number(1...5)) }
        return group
    }

    mutating func fault() -> PlannedFault {
        let fault: SecureProcessor.Fault = pick([
            .die(hang: milliseconds(0...2_000)), .stall(milliseconds(1...5_000)), .stallUntilRevived, .revive,
            .refuse(errno: 16, count: .next(3)), .firmwareError(7, count: .next(3)),
        ])
        return PlannedFault(at: milliseconds(0...5_000), fault)
    }
}
