import Arbiter
import SPModel

/// Small worlds in which anything may happen. Which things do is drawn for each world (swarm testing: Groce et al.,
/// 2012), so that no fault always hides another.
extension Scenario {
    public static func random(seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed)
        let isHonest = random.chance(perMille: 350)
        return drawn(seed: seed, isHonest: isHonest, virtualMachines: 1...10, &random)
    }

    /// Everyone keeps to what the promises presuppose, for some thousand steps.
    public static func honest(seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed ^ 0x484F_4E45_5354)
        var scenario = drawn(seed: seed, isHonest: true, virtualMachines: 1...16, &random)
        scenario.stepsMax = 2_000
        scenario.checksInvariantsEvery = 16
        return scenario
    }

    /// The same for more than a minute, as long as the promises about fairness, reservations and patience speak of.
    public static func long(seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed ^ 0x4C4F_4E47)
        var scenario = drawn(seed: seed, isHonest: true, virtualMachines: 2...48, &random)
        scenario.duration = .seconds(random.draw(62...90))
        scenario.stepsMax = 1_000_000
        scenario.checksInvariantsEvery = 256
        scenario.slowDown()
        return scenario
    }

    /// Keeps a minute to some ten thousand steps: what comes more often than the SP can serve it shows nothing more.
    private mutating func slowDown() {
        configuration.chunkPages = max(configuration.chunkPages, 32)
        platformEvery = platformEvery.map { max($0, .milliseconds(300)) }
        for index in tenants.indices {
            tenants[index].guest.kinds = [.report]
            if case .every(let interval) = tenants[index].guest.pace {
                tenants[index].guest.pace = .every(max(interval, .milliseconds(200)))
            }
            if case .insists(let after) = tenants[index].guest.afterBusy {
                tenants[index].guest.afterBusy = .insists(after: max(after, .milliseconds(200)))
            }
            tenants[index].launch?.pagesAtOnce = 32
            if let pause = tenants[index].launch?.pause {
                tenants[index].launch?.pause = max(pause, .milliseconds(200))
            }
        }
    }

    private static func drawn(
        seed: UInt64, isHonest: Bool, virtualMachines: ClosedRange<Int64>, _ random: inout SplitMix64
    ) -> Scenario {
        var scenario = Scenario(seed: seed)
        scenario.configuration = randomConfiguration(&random)
        scenario.service =
            isHonest || random.chance(perMille: 500) ? .ofPlanning(500...1_000) : .ofPlanning(100...5_000)
        if random.chance(perMille: 200) { scenario.service = .profile(.milan2024) }
        scenario.accounts = Int(random.draw(1...3))
        scenario.duration = Nanoseconds(random.drawByMagnitude(50_000_000...64_000_000_000))
        if random.chance(perMille: 300) {
            scenario.platformEvery = Nanoseconds(random.drawByMagnitude(1_000_000...2_000_000_000))
        }
        if !isHonest { scenario.disturbances = randomDisturbances(&random) }
        let faults = isHonest ? ClientFaults() : ClientFaults(&random)
        let count = Int(random.drawByMagnitude(virtualMachines))
        let span = random.chance(perMille: 500) ? Nanoseconds.zero : scenario.duration / 4
        for _ in 0..<count {
            var tenant = TenantPlan()
            tenant.account = Int(random.below(Int64(scenario.accounts)))
            tenant.arrives = random.draw(.zero...span)
            tenant.registration = randomRegistration(&random)
            if random.chance(perMille: 800) { tenant.guest = randomGuest(&random, tenant.registration, faults) }
            if random.chance(perMille: 450) { tenant.launch = randomLaunch(&random, scenario.configuration, faults) }
            scenario.tenants.append(tenant)
        }
        return scenario
    }

    // MARK: Configuration

    private static func randomConfiguration(_ random: inout SplitMix64) -> Configuration {
        var configuration = Configuration()
        if random.chance(perMille: 300) { return configuration }
        configuration.floorShare = Share(perMille: random.pick([1, 10, 50, 100, 100, 250, 400, 900]))
        configuration.floorDelay = .milliseconds(random.pick([0, 1, 50, 500, 500, 2_000]))
        configuration.hold = .microseconds(random.pick([0, 200, 1_000, 5_000, 10_000]))
        configuration.chunkPages = UInt32(random.pick([1, 4, 32, 32, 64]))
        configuration.launchOrder = random.chance(perMille: 250) ? .shortestFirst : .firstComeFirstServed
        configuration.launchAging = .milliseconds(random.pick([0, 100, 10_000]))
        configuration.guestWaitMax = .milliseconds(random.pick([1, 20, 100, 500, 5_000]))
        configuration.guestWaitReserved = .milliseconds(random.pick([1_500, 5_000, 20_000]))
        configuration.launchReservePerSecond = .milliseconds(random.pick([50, 200, 400]))
        configuration.capacityPerSecond = .milliseconds(random.pick([500, 800, 950, 1_000]))
        configuration.launchBurst = .milliseconds(random.pick([1, 77, 616]))
        if random.chance(perMille: 300) {
            configuration.launchBucketVM = LaunchBucket(perSecond: .milliseconds(200), burst: .milliseconds(300))
            configuration.launchBucketAccount = LaunchBucket(perSecond: .milliseconds(100), burst: .milliseconds(500))
        }
        if random.chance(perMille: 200) {
            configuration.accountReservationMax = Rate(millihertz: random.draw(25...50_000))
        }
        if random.chance(perMille: 200) { configuration.launchWallClockMax = .milliseconds(random.draw(10...3_000)) }
        return configuration
    }

    private static func randomRegistration(_ random: inout SplitMix64) -> Registration {
        var registration = Registration(reservationWanted: .zero)
        if random.chance(perMille: 400) {
            registration.reservationWanted = Rate(millihertz: random.drawByMagnitude(25...60_000))
            if random.chance(perMille: 300) { registration.reservationLeast = Limits.leastRate }
        }
        if random.chance(perMille: 300) {
            registration.limit = Rate(millihertz: random.drawByMagnitude(25...10_000_000))
        }
        registration.weight = Weight(random.chance(perMille: 600) ? 100 : random.drawByMagnitude(1...10_000))
        registration.burst = random.chance(perMille: 700) ? 3 : random.drawByMagnitude(1...100)
        registration.retryPolicy = random.pick([.linux, .linux, .linux, .once, .never])
        if random.chance(perMille: 300) {
            registration.guestWaitMax = .milliseconds(random.drawByMagnitude(1...20_000))
        }
        return registration
    }

    // MARK: Clients

    /// Which faults clients have in this world.
    private struct ClientFaults {
        var cancels: Int64 = 0
        var doubles: Int64 = 0
        var crashes: Int64 = 0
        var trouble: Int64 = 0
        var maxWaits = false
        var holding = Holding()

        init() {}

        init(_ random: inout SplitMix64) {
            cancels = random.pick([0, 0, 100, 500])
            doubles = random.pick([0, 0, 200])
            crashes = random.pick([0, 0, 10, 100])
            trouble = random.pick([0, 0, 0, 50])
            maxWaits = random.chance(perMille: 400)
            holding.late = random.pick([0, 0, 100])
            holding.lateness = Nanoseconds(random.drawByMagnitude(1_000...2_000_000_000))
            holding.never = random.pick([0, 0, 20])
        }

        func maxWait(_ random: inout SplitMix64) -> Nanoseconds? {
            maxWaits && random.chance(perMille: 500) ? Nanoseconds(random.drawByMagnitude(1...4_000_000_000)) : nil
        }
    }

    private static func randomGuest(
        _ random: inout SplitMix64, _ registration: Registration, _ faults: ClientFaults
    ) -> GuestPlan {
        var guest = GuestPlan()
        let interval = Nanoseconds(random.drawByMagnitude(1_000_000...4_000_000_000))
        let polite = registration.reservationWanted > .zero ? registration.reservationWanted.interval : interval
        guest.pace = random.pick([
            .loop(think: .microseconds(400)), .loop(think: Nanoseconds(1)), .loop(think: interval), .every(interval),
            .every(polite), .every(polite), .bursts(of: Int(registration.burst), every: interval),
        ])
        guest.starts = random.chance(perMille: 400) ? .zero : random.draw(.zero...interval)
        if random.chance(perMille: 200) { guest.kinds = [.report, .derivedKey, .otherGuestRequest] }
        if registration.retryPolicy == .linux, random.chance(perMille: 200) {
            guest.afterBusy = .insists(after: Nanoseconds(random.drawByMagnitude(1...20_000_000)))
        }
        guest.maxWait = faults.maxWait(&random)
        guest.cancels = faults.cancels
        guest.doubles = faults.doubles
        guest.holding = faults.holding
        return guest
    }

    private static func randomLaunch(
        _ random: inout SplitMix64, _ configuration: Configuration, _ faults: ClientFaults
    ) -> LaunchClient {
        var launch = LaunchClient()
        launch.starts =
            random.chance(perMille: 400) ? .zero : Nanoseconds(random.drawByMagnitude(1_000...2_000_000_000))
        launch.launches = Int(random.drawByMagnitude(1...20))
        launch.pause = Nanoseconds(random.drawByMagnitude(1...1_000_000_000))
        launch.declaredPages = UInt32(random.drawByMagnitude(1...400))
        launch.truePages = random.chance(perMille: 700) ? launch.declaredPages : UInt32(random.drawByMagnitude(1...800))
        launch.virtualCPUs = UInt32(random.pick([1, 1, 2, 16, 100]))
        launch.isWhole = random.chance(perMille: 300)
        launch.isProxy = random.chance(perMille: 150)
        launch.pagesAtOnce = UInt32(random.pick([1, 8, 32, 1_000]))
        launch.gaps = randomGaps(&random, configuration.hold)
        launch.joinsMessages = random.chance(perMille: 400)
        launch.maxWait = faults.maxWait(&random)
        launch.cancels = faults.cancels / 10
        launch.crashes = faults.crashes
        launch.reportsTrouble = faults.trouble
        launch.onlyBegins = random.chance(perMille: 60)
        launch.neverEnds = random.chance(perMille: 60)
        launch.holding = faults.holding
        return launch
    }

    /// Gaps on either side of every bound that the rules know.
    private static func randomGaps(_ random: inout SplitMix64, _ hold: Nanoseconds) -> [Nanoseconds] {
        let near = Nanoseconds(1)
        return random.pick([
            [.microseconds(300)],
            [.zero],
            [hold, max(hold - near, .zero), hold + near],
            [.milliseconds(10), .milliseconds(10) - near, .milliseconds(10) + near, .milliseconds(5)],
            [.microseconds(300), .microseconds(300), .microseconds(300), .milliseconds(2)],
            [.milliseconds(6)],
            [.milliseconds(200)],
            [.milliseconds(450), .microseconds(300)],
            [.seconds(1), .seconds(1) - near, .microseconds(300)],
            [.seconds(3), .microseconds(100)],
        ])
    }

    // MARK: Disturbances

    private static func randomDisturbances(_ random: inout SplitMix64) -> Disturbances {
        var disturbances = Disturbances()
        for kind in Disturbances.Kind.allCases where random.chance(perMille: 250) { disturbances.kinds.append(kind) }
        disturbances.every = Nanoseconds(random.drawByMagnitude(1_000_000...2_000_000_000))
        disturbances.latency = random.pick([.zero, .zero, .microseconds(100), .milliseconds(20)])
        disturbances.lateProbes = random.pick([0, 0, 300])
        disturbances.deadProbes = random.pick([0, 0, 100])
        disturbances.unavailableProbes = random.pick([0, 0, 300])
        return disturbances
    }
}

extension Scenario {
    /// Whether everyone keeps to what the promises presuppose: turns come back before their lease ends, the clock goes
    /// forward, nothing is drained or broken, and no client cuts its own wait short.
    var isHonest: Bool {
        guard disturbances.kinds.isEmpty, disturbances.latency == .zero, disturbances.lateProbes == 0,
            disturbances.deadProbes == 0, disturbances.unavailableProbes == 0
        else { return false }
        if case .ofPlanning(let range) = service, range.upperBound > 1_000 { return false }
        return tenants.allSatisfy { tenant in
            let launch = tenant.launch ?? LaunchClient()
            return tenant.guest.maxWait == nil && tenant.guest.cancels == 0 && tenant.guest.doubles == 0
                && tenant.guest.holding == Holding() && launch.holding == Holding() && launch.maxWait == nil
                && launch.cancels == 0 && launch.crashes == 0 && launch.reportsTrouble == 0
        }
    }
}
