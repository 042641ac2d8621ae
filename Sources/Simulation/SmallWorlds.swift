import Arbiter

/// Every world of up to three VMs with up to four commands each, on a grid of few times: all that can be, none drawn.
///
/// A VM is a guest that asks for one to four reports, a launch of three or four commands, or one or two whole launches.
/// Its commands follow each other by one of two times each. All commands cost what is planned for them. What happens at
/// one instant happens in both orders: VMs in the order of their places, and each order of VMs is a world; wake-ups
/// before or after what clients do.
public enum SmallWorlds {
    /// A gap that a hold covers, and one that it does not, at first.
    private static let short = Nanoseconds.microseconds(300)
    private static let long = Nanoseconds.milliseconds(6)
    /// When a VM begins, and when a guest asks again.
    private static let pauses = [Nanoseconds.zero, .milliseconds(8)]

    private static let behaviours = guests + launches + wholeLaunches

    fileprivate struct Environment {
        var floorPercent: Int64
        var delay: Nanoseconds
        var reservation: Rate
        var ties: Ties
    }

    fileprivate static let environments: [Environment] = {
        var all: [Environment] = []
        for (percent, delay) in [(Int64(10), Nanoseconds.zero), (50, .milliseconds(20))] {
            for reservation in [Rate.zero, .perSecond(10)] {
                for ties in [Ties.wakeFirst, .wakeLast] {
                    all.append(Environment(floorPercent: percent, delay: delay, reservation: reservation, ties: ties))
                }
            }
        }
        return all
    }()

    /// With up to so many VMs.
    public static func count(virtualMachines: Int) -> UInt64 {
        let choices = UInt64(behaviours.count)
        var worlds: UInt64 = 0
        var tuples: UInt64 = 1
        for _ in 0..<virtualMachines {
            tuples *= choices
            worlds += tuples
        }
        return worlds * UInt64(environments.count)
    }

    /// The worlds of one VM come first, then those of two, then those of three.
    public static func scenario(number: UInt64) -> Scenario? {
        guard number < count(virtualMachines: 3) else { return nil }
        let environment = environments[Int(number % UInt64(environments.count))]
        var rest = number / UInt64(environments.count)
        let choices = UInt64(behaviours.count)
        var size = 1
        var tuples = choices
        while rest >= tuples {
            rest -= tuples
            tuples *= choices
            size += 1
        }
        var scenario = Scenario(seed: number)
        scenario.set(environment)
        for _ in 0..<size {
            scenario.tenants.append(behaviours[Int(rest % choices)])
            rest /= choices
        }
        for index in scenario.tenants.indices where scenario.tenants[index].guest.pace != .silent {
            scenario.tenants[index].registration.reservationWanted = environment.reservation
        }
        return scenario
    }

    // MARK: Behaviours

    private static func sequences<Value>(of length: Int, from values: [Value]) -> [[Value]] {
        (0..<length).reduce([[]]) { found, _ in found.flatMap { start in values.map { start + [$0] } } }
    }

    private static var guests: [TenantPlan] {
        (1...4).flatMap { sequences(of: $0, from: pauses) }.map { waits in
            var tenant = TenantPlan()
            tenant.guest.pace = .script(waits)
            tenant.guest.starts = waits[0]
            return tenant
        }
    }

    /// Start, one or two updates, finish.
    private static var launches: [TenantPlan] {
        [UInt32(1), 2].flatMap { updates in
            sequences(of: Int(updates) + 1, from: [short, long]).flatMap { gaps in
                pauses.map { pause in
                    var launch = LaunchClient()
                    launch.starts = pause
                    launch.declaredPages = 4 * updates
                    launch.truePages = 4 * updates
                    launch.pagesAtOnce = 4
                    // The first is between the begin of the session and its first command, the last before its end.
                    launch.gaps = [.zero] + gaps + [.zero]
                    launch.takesGapsInTurn = true
                    return plan(launch)
                }
            }
        }
    }

    private static var wholeLaunches: [TenantPlan] {
        pauses.flatMap { start in
            [(1, short), (2, short), (2, long)].map { launches, pause in
                var launch = LaunchClient()
                launch.starts = start
                launch.isWhole = true
                launch.launches = launches
                launch.pause = pause
                launch.declaredPages = 8
                launch.truePages = 8
                launch.gaps = [.zero]
                return plan(launch)
            }
        }
    }

    private static func plan(_ launch: LaunchClient) -> TenantPlan {
        var tenant = TenantPlan()
        tenant.launch = launch
        return tenant
    }
}

extension Scenario {
    fileprivate mutating func set(_ environment: SmallWorlds.Environment) {
        service = .ofPlanning(1_000...1_000)
        stepsMax = 10_000
        checksInvariantsEvery = 4
        ties = environment.ties
        configuration.floorShare = Share(percent: environment.floorPercent)
        configuration.floorDelay = environment.delay
    }
}
