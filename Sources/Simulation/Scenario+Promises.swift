import Arbiter
import SPModel

/// Worlds in which everyone keeps to the presuppositions of the promises, made to press against their bounds.
public enum PromiseWorld: String, Sendable, CaseIterable {
    /// P1: one launch at a time, beside guests in tight loops; gaps about the hold, whole launches, platform work.
    case launch
    /// P3: launches without end, guests that wait.
    case storm
    /// P5: guests in tight loops, by weight.
    case fairness
    /// P6: polite guests inside their reservations beside insatiable ones, launches within their reserve.
    case reservation
    /// P7: as many VMs as admission lets in, under launches without end.
    case patience
}

extension Scenario {
    public static func promise(_ world: PromiseWorld, seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed)
        var scenario = Scenario(seed: seed)
        scenario.stepsMax = 1_000_000
        scenario.checksInvariantsEvery = 64
        switch world {
        case .launch: scenario.makeLaunch(&random)
        case .storm: scenario.makeStorm(&random)
        case .fairness: scenario.makeFairness(&random)
        case .reservation: scenario.makeReservation(&random)
        case .patience: scenario.makePatience(&random)
        }
        return scenario
    }

    private mutating func makeLaunch(_ random: inout SplitMix64) {
        duration = .seconds(4)
        service = random.chance(perMille: 500) ? .profile(.milan2024) : .ofPlanning(700...1_000)
        configuration.floorShare = Share(percent: random.pick([1, 10, 10, 40]))
        configuration.floorDelay = .milliseconds(random.pick([0, 100, 500]))
        if random.chance(perMille: 300) { platformEvery = .milliseconds(random.pick([100, 700])) }
        var launch = LaunchClient()
        launch.starts = random.draw(.milliseconds(100) ... .milliseconds(1_500))
        launch.launches = 3
        launch.pause = .milliseconds(random.draw(1...400))
        launch.declaredPages = UInt32(random.draw(1...300))
        launch.truePages = launch.declaredPages
        launch.isWhole = random.chance(perMille: 300)
        launch.pagesAtOnce = UInt32(random.pick([1, 32]))
        launch.gaps = random.pick([
            [.microseconds(300)], [.milliseconds(5) - Nanoseconds(1)], [.milliseconds(6)], [.milliseconds(2)],
            [.milliseconds(11)], [.microseconds(300), .microseconds(300), .milliseconds(20)],
        ])
        tenants = loopingGuests(Int(random.drawByMagnitude(1...64)), &random)
        tenants[0].launch = launch
    }

    private mutating func makeStorm(_ random: inout SplitMix64) {
        duration = .seconds(5)
        service = random.chance(perMille: 500) ? .profile(.milan2024) : .ofPlanning(300...1_000)
        configuration.floorShare = Share(percent: random.pick([1, 5, 10, 40]))
        configuration.floorDelay = .milliseconds(random.pick([0, 50, 500]))
        let gap = Nanoseconds.milliseconds(random.pick([0, 1, 6, 200, 450, 999]))
        tenants = loopingGuests(Int(random.drawByMagnitude(1...16)), &random)
        for index in 0..<Int(random.draw(1...6)) {
            var tenant = TenantPlan()
            tenant.launch = endlessLaunch(isWhole: random.chance(perMille: 300), gap: gap)
            tenant.launch?.starts = .milliseconds(Int64(index))
            tenants.append(tenant)
        }
        liftLaunchCaps()
    }

    private mutating func makeFairness(_ random: inout SplitMix64) {
        duration = .seconds(70)
        configuration.launchReservePerSecond = .milliseconds(50)
        service = .profile(.milan2024)
        let areEqual = random.chance(perMille: 600)
        tenants = loopingGuests(Int(random.drawByMagnitude(2...96)), &random)
        for index in tenants.indices where !areEqual {
            tenants[index].registration.weight = Weight(random.pick([50, 100, 100, 200]))
        }
    }

    private mutating func makeReservation(_ random: inout SplitMix64) {
        duration = .seconds(62)
        service = random.chance(perMille: 500) ? .profile(.milan2024) : .ofPlanning(800...1_000)
        let count = random.drawByMagnitude(1...64)
        // Together at most what can be reserved: 100 reports a second at the defaults.
        let each = Rate(millihertz: min(95_000 / count, random.pick([1_000, 10_000, 60_000])))
        let phase = random.chance(perMille: 500)
        for _ in 0..<count {
            var tenant = TenantPlan()
            tenant.registration = Registration(
                reservationWanted: each, reservationLeast: .zero, burst: random.draw(1...3))
            tenant.guest.pace = .every(each.interval)
            tenant.guest.starts = phase ? .zero : random.draw(.zero...each.interval)
            tenants.append(tenant)
        }
        tenants += loopingGuests(Int(random.draw(0...24)), &random)
        tenants[0].launch = endlessLaunch(isWhole: random.chance(perMille: 300), gap: .microseconds(300))
        tenants[0].launch?.declaredPages = 60
        tenants[0].launch?.truePages = 60
        // 77 ms of work every 500 ms: within the reserve of a fifth.
        tenants[0].launch?.pause = .milliseconds(500)
        tenants[0].launch?.launches = .max
        liftLaunchCaps()
    }

    private mutating func makePatience(_ random: inout SplitMix64) {
        duration = .seconds(90)
        service = random.chance(perMille: 500) ? .profile(.milan2024) : .ofPlanning(900...1_000)
        // A smaller floor admits fewer VMs, and presses as hard with fewer steps.
        configuration.floorShare = Share(perMille: random.pick([5, 10, 20, 40]))
        let isImpatient = random.chance(perMille: 400)
        let floorNeed = 7_500 * 1_000 / configuration.floorShare.perMille * (isImpatient ? 2 : 1)
        let fitting = (20_000_000 - 500_000 - 32_000) / floorNeed
        tenants = loopingGuests(Int(fitting), &random)
        for index in tenants.indices {
            if isImpatient { tenants[index].registration.retryPolicy = random.pick([.linux, .once, .never]) }
            if random.chance(perMille: 100) {
                tenants[index].registration.limit = Rate(millihertz: random.draw(25...200))
            }
        }
        tenants[0].launch = endlessLaunch(isWhole: random.chance(perMille: 200), gap: .microseconds(300))
        if tenants.count > 1 { tenants[1].launch = endlessLaunch(isWhole: false, gap: .milliseconds(2)) }
        liftLaunchCaps()
    }

    // MARK: Parts

    func loopingGuests(_ count: Int, _ random: inout SplitMix64) -> [TenantPlan] {
        let areAligned = random.chance(perMille: 500)
        return (0..<count).map { _ in
            var tenant = TenantPlan()
            tenant.guest.pace = .loop(think: .microseconds(400))
            tenant.guest.starts = areAligned ? .zero : random.draw(.zero...Limits.retryQuantum)
            return tenant
        }
    }

    func endlessLaunch(isWhole: Bool, gap: Nanoseconds) -> LaunchClient {
        var launch = LaunchClient()
        launch.launches = .max
        launch.pause = .microseconds(300)
        launch.declaredPages = 250
        launch.truePages = 250
        launch.isWhole = isWhole
        launch.gaps = [gap]
        return launch
    }

    mutating func liftLaunchCaps() {
        let bucket = LaunchBucket(perSecond: .seconds(1), burst: .seconds(600))
        configuration.launchBucketVM = bucket
        configuration.launchBucketAccount = bucket
    }
}
