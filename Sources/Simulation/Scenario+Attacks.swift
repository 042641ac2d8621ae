import Arbiter
import SPModel

/// Attacks that once broke a rule, or were thought of to break one. Each is drawn anew from a seed in what does not
/// matter to it.
public enum Attack: String, Sendable, CaseIterable {
    /// A launch that thinks a little longer than its hold, and a whole launch that waits for it.
    case gapBesideWhole = "gap-beside-whole"
    /// A floor that a gap resets starves guests: gaps of 0.2, 0.45 and 1 s under a storm.
    case gapsInStorm = "gaps-in-storm"
    /// One VM that always asks, against storms in chunks.
    case oneAgainstStorms = "one-against-storms"
    /// 63 VMs asleep, and one that is served alone meanwhile.
    case sleepers
    /// 60 a second reserved beside none.
    case sixtyBesideNone = "sixty-beside-none"
    /// All ask at one instant.
    case alignedStarts = "aligned-starts"
    /// Limits near 1 in 40 s, below which a guest loses its key.
    case leastLimits = "least-limits"
    /// As many VMs as admission lets in, aligned, under a storm without end; or with reservations.
    case fullHouse = "full-house"
    case fullHouseReserved = "full-house-reserved"
    /// 100 that reserve 1/s beside 159 in tight loops.
    case reservedBesideLoops = "reserved-beside-loops"
    /// A session held open idle before whole launches.
    case idleSession = "idle-session"
    /// A VM that its limit bars from service waits long before a launch: it must not fill the floor's bucket.
    case limitBeforeLaunch = "limit-before-launch"
    /// Launches in bursts of eight, as much as their reserve allows.
    case burstsOfEight = "bursts-of-eight"
    /// 100 polite VMs, launches at their reserve.
    case hundredPolite = "hundred-polite"
}

extension Scenario {
    public static func attack(_ attack: Attack, seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed)
        var scenario = Scenario(seed: seed)
        scenario.stepsMax = 1_000_000
        scenario.checksInvariantsEvery = 256
        scenario.duration = .seconds(62)
        scenario.service = random.chance(perMille: 500) ? .profile(.milan2024) : .ofPlanning(900...1_000)
        scenario.make(attack, &random)
        return scenario
    }

    private mutating func make(_ attack: Attack, _ random: inout SplitMix64) {
        switch attack {
        case .gapBesideWhole: makeGapBesideWhole(&random)
        case .gapsInStorm: makeGapsInStorm(&random)
        case .oneAgainstStorms:
            duration = .seconds(20)
            tenants = aligned(1, .loop(think: Nanoseconds(1)))
            addStorm(Int(random.draw(1...8)), gap: .microseconds(300))
        case .sleepers:
            tenants = aligned(64, .loop(think: .microseconds(400)))
            for index in 1..<64 { tenants[index].registration.guestWaitMax = .milliseconds(random.draw(1...20)) }
        case .sixtyBesideNone: makeSixtyBesideNone(&random)
        case .alignedStarts: tenants = aligned(Int(random.draw(16...96)), .loop(think: .microseconds(400)))
        case .leastLimits: makeLeastLimits(&random)
        case .fullHouse:
            tenants = aligned(259, .loop(think: .microseconds(400)))
            addStorm(to: 0, gap: .microseconds(300))
        case .fullHouseReserved: makeFullHouseReserved(&random)
        case .reservedBesideLoops:
            tenants = polite(100, &random) + aligned(159, .loop(think: .microseconds(400)))
        case .idleSession: makeIdleSession(&random)
        case .limitBeforeLaunch: makeLimitBeforeLaunch(&random)
        case .burstsOfEight: makeBurstsOfEight(&random)
        case .hundredPolite:
            tenants = polite(100, &random)
            addLaunches(to: [0], every: .milliseconds(400))
        }
    }

    // MARK: Each

    private mutating func makeGapBesideWhole(_ random: inout SplitMix64) {
        duration = .seconds(8)
        tenants = aligned(Int(random.draw(1...16)), .loop(think: .microseconds(400)))
        addStorm(1, gap: .milliseconds(6) + Nanoseconds(random.draw(-2_000_000...5_000_000)))
        addStorm(Int(random.draw(1...3)), gap: .microseconds(300), isWhole: true)
    }

    private mutating func makeGapsInStorm(_ random: inout SplitMix64) {
        duration = .seconds(20)
        configuration.floorDelay = .milliseconds(random.pick([0, 100, 500]))
        tenants = aligned(Int(random.draw(1...16)), .loop(think: .microseconds(400)))
        for _ in 0..<random.draw(1...4) { addStorm(1, gap: .milliseconds(random.pick([200, 450, 1_000]))) }
    }

    private mutating func makeSixtyBesideNone(_ random: inout SplitMix64) {
        var heavy = TenantPlan()
        heavy.registration = Registration(reservationWanted: .perSecond(60), burst: random.draw(1...3))
        heavy.guest.pace = .every(Rate.perSecond(60).interval)
        tenants = [heavy] + aligned(Int(random.draw(1...8)), .loop(think: .microseconds(400)))
    }

    private mutating func makeLeastLimits(_ random: inout SplitMix64) {
        duration = .seconds(130)
        tenants = aligned(Int(random.draw(8...64)), .loop(think: .microseconds(400)))
        for index in tenants.indices {
            tenants[index].registration.limit = Rate(millihertz: random.draw(25...28))
            tenants[index].registration.burst = random.draw(1...2)
        }
        addStorm(to: 0, gap: .microseconds(300))
    }

    private mutating func makeFullHouseReserved(_ random: inout SplitMix64) {
        tenants = polite(Int(random.draw(20...100)), &random) + aligned(200, .loop(think: .microseconds(400)))
        for index in tenants.indices { tenants[index].guest.starts = .zero }
        addStorm(to: 0, gap: .microseconds(300))
    }

    private mutating func makeIdleSession(_ random: inout SplitMix64) {
        duration = .seconds(20)
        tenants = aligned(Int(random.draw(1...4)), .loop(think: .microseconds(400)))
        var idle = endlessLaunch(isWhole: false, gap: .zero)
        idle.gaps = [.milliseconds(1), .seconds(1) - Nanoseconds(1), .milliseconds(random.draw(900...3_000))]
        tenants[0].launch = idle
        addStorm(Int(random.draw(1...3)), gap: .microseconds(300), isWhole: true)
    }

    private mutating func makeLimitBeforeLaunch(_ random: inout SplitMix64) {
        duration = .seconds(20)
        tenants = aligned(Int(random.draw(1...8)), .loop(think: .microseconds(400)))
        for index in tenants.indices {
            tenants[index].registration.limit = Rate(millihertz: random.draw(25...400))
            tenants[index].registration.guestWaitMax = .seconds(random.draw(1...20))
        }
        var launch = endlessLaunch(isWhole: random.chance(perMille: 300), gap: .microseconds(300))
        launch.starts = .seconds(3)
        launch.pause = .seconds(3)
        tenants[0].launch = launch
        liftLaunchCaps()
    }

    private mutating func makeBurstsOfEight(_ random: inout SplitMix64) {
        tenants = polite(Int(random.draw(8...80)), &random)
        // 8 × 77 ms at once drain in 3.08 s at a reserve of a fifth.
        addLaunches(to: Array(0..<8), every: .milliseconds(random.draw(3_700...4_500)))
    }

    // MARK: Parts

    private func aligned(_ count: Int, _ pace: GuestPlan.Pace) -> [TenantPlan] {
        (0..<count).map { _ in
            var tenant = TenantPlan()
            tenant.guest.pace = pace
            return tenant
        }
    }

    /// On an absolute schedule of 1/s, all of it reserved.
    private func polite(_ count: Int, _ random: inout SplitMix64) -> [TenantPlan] {
        (0..<count).map { _ in
            var tenant = TenantPlan()
            tenant.registration = Registration()
            tenant.guest.pace = .every(.seconds(1))
            tenant.guest.starts = random.draw(.zero ... .seconds(1))
            return tenant
        }
    }

    private mutating func addStorm(_ count: Int, gap: Nanoseconds, isWhole: Bool = false) {
        for index in 0..<count {
            var tenant = TenantPlan()
            tenant.launch = endlessLaunch(isWhole: isWhole, gap: gap)
            tenant.launch?.starts = .milliseconds(Int64(index))
            tenants.append(tenant)
        }
        liftLaunchCaps()
    }

    private mutating func addStorm(to tenant: Int, gap: Nanoseconds) {
        tenants[tenant].launch = endlessLaunch(isWhole: false, gap: gap)
        liftLaunchCaps()
    }

    /// Launches of some 77 ms, so often.
    private mutating func addLaunches(to indices: [Int], every: Nanoseconds) {
        for index in indices {
            tenants[index].launch = endlessLaunch(isWhole: false, gap: .microseconds(300))
            tenants[index].launch?.declaredPages = 60
            tenants[index].launch?.truePages = 60
            tenants[index].launch?.pause = every
        }
        liftLaunchCaps()
    }
}
