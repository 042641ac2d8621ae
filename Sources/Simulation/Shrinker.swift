import Arbiter
import SPModel

/// Makes a scenario smaller as long as the same rule still breaks: fewer VMs, a shorter time, simpler numbers.
public struct Shrinker {
    private var best: Scenario
    private let rule: Rule
    /// Worlds played so far, of at most so many: a large world is not shrunk for ever.
    private var played = 0
    private static let playedMax = 2_000

    public init(_ scenario: Scenario, breaking rule: Rule) {
        best = scenario
        self.rule = rule
    }

    public func shrunk() -> Scenario {
        var shrinker = self
        while shrinker.shrinkOnce() {}
        return shrinker.best
    }

    /// Tries each simplification once. Returns whether one held.
    private mutating func shrinkOnce() -> Bool {
        var held = false
        for index in best.tenants.indices.reversed() where best.tenants.count > 1 {
            held = keep { $0.tenants.remove(at: index) } || held
        }
        held = shorten() || held
        for change in Self.simplifications { held = keep(change) || held }
        for index in best.tenants.indices {
            for change in Self.tenantSimplifications { held = keep { change(&$0.tenants[index]) } || held }
        }
        return held && played < Self.playedMax
    }

    /// Ends just after the violation.
    private mutating func shorten() -> Bool {
        guard let violation = violation(of: best) else { return false }
        let ends = violation.at - Instant(sinceBoot: .seconds(1_000))
        guard ends < best.duration - .milliseconds(1), ends > .zero else { return false }
        return keep { $0.duration = ends }
    }

    private mutating func keep(_ change: (inout Scenario) -> Void) -> Bool {
        guard played < Self.playedMax else { return false }
        var changed = best
        change(&changed)
        guard changed.size < best.size, violation(of: changed)?.rule == rule else { return false }
        best = changed
        return true
    }

    private mutating func violation(of scenario: Scenario) -> Violation? {
        played += 1
        var world = World(scenario)
        do throws(Violation) { try world.run() } catch { return error }
        return nil
    }

    // MARK: Simplifications

    private static let simplifications: [@Sendable (inout Scenario) -> Void] = [
        { $0.platformEvery = nil },
        { $0.disturbances = Disturbances() },
        { $0.service = .ofPlanning(1_000...1_000) },
        {
            $0.accounts = 1; for index in $0.tenants.indices { $0.tenants[index].account = 0 }
        },
        { $0.ties = .wakeFirst },
        { $0.ties = .wakeLast },
        { scenario in
            let floor = (scenario.configuration.floorShare, scenario.configuration.floorDelay)
            scenario.configuration = Configuration()
            (scenario.configuration.floorShare, scenario.configuration.floorDelay) = floor
        },
        { $0.configuration.floorDelay = .zero },
        { $0.configuration.floorShare = Share(percent: 10) },
    ]

    private static let tenantSimplifications: [@Sendable (inout TenantPlan) -> Void] = [
        { $0.launch = nil },
        { $0.guest = GuestPlan() },
        { $0.arrives = .zero },
        { $0.guest.starts = rounded($0.guest.starts) },
        { $0.guest.starts = .zero },
        { $0.guest.kinds = [.report] },
        { $0.registration.limit = nil },
        { $0.registration.weight = Weight(100) },
        { $0.registration.reservationWanted = .zero },
        { $0.registration.guestWaitMax = nil },
        { tenant in
            if case .loop(let think) = tenant.guest.pace { tenant.guest.pace = .loop(think: rounded(think)) }
        },
        { tenant in
            if case .every(let interval) = tenant.guest.pace { tenant.guest.pace = .every(rounded(interval)) }
        },
        { $0.launch?.launches = 1 },
        { tenant in
            if let gaps = tenant.launch?.gaps, gaps.count > 1 { tenant.launch?.gaps = Array(gaps.dropLast()) }
        },
        { $0.launch?.joinsMessages = false },
        { $0.launch?.isProxy = false },
        { tenant in
            if let starts = tenant.launch?.starts { tenant.launch?.starts = rounded(starts) }
        },
        { $0.launch?.starts = .zero },
        { tenant in
            if let pause = tenant.launch?.pause { tenant.launch?.pause = rounded(pause) }
        },
        { tenant in
            if let gaps = tenant.launch?.gaps { tenant.launch?.gaps = gaps.map(rounded) }
        },
        { tenant in
            let half = max((tenant.launch?.truePages ?? 1) / 2, 1)
            tenant.launch?.truePages = half
            tenant.launch?.declaredPages = half
        },
    ]

    /// To whole milliseconds.
    private static func rounded(_ time: Nanoseconds) -> Nanoseconds {
        .milliseconds((time.count + 500_000) / 1_000_000)
    }
}

extension Scenario {
    /// How much there is to read: what a simplification must lessen.
    fileprivate var size: Int {
        var size = tenants.reduce(0) { $0 + $1.size }
        size += platformEvery == nil ? 0 : 5
        size += disturbances.kinds.count * 5 + (disturbances.latency == .zero ? 0 : 3)
        size += disturbances.lateProbes == 0 ? 0 : 1
        size += accounts
        size += ties == .drawn ? 2 : 0
        size += configuration == Configuration() ? 0 : 3
        size += configuration.floorDelay == .zero ? 0 : 1
        size += configuration.floorShare == Share(percent: 10) ? 0 : 1
        if case .ofPlanning(1_000...1_000) = service {} else { size += 3 }
        return size + Self.digits(duration)
    }

    /// How many digits it takes to write this many nanoseconds in its largest whole unit.
    fileprivate static func digits(_ time: Nanoseconds) -> Int {
        guard time != .zero else { return 0 }
        var count = time.count
        var trailing = 0
        while count % 10 == 0 {
            count /= 10
            trailing += 1
        }
        return "\(count)".count + trailing / 9
    }
}

extension TenantPlan {
    fileprivate var size: Int {
        var size = 10 + Scenario.digits(arrives) + account
        if guest.pace != .silent { size += 5 + Scenario.digits(guest.starts) + guest.kinds.count }
        switch guest.pace {
        case .loop(let time), .every(let time): size += Scenario.digits(time)
        default: break
        }
        size += registration.limit == nil ? 0 : 3
        size += registration.weight == Weight(100) ? 0 : 2
        size += registration.reservationWanted == .zero ? 0 : 3
        size += registration.guestWaitMax == nil ? 0 : 2
        guard let launch else { return size }
        size += 10 + Scenario.digits(launch.starts) + Scenario.digits(launch.pause) + (launch.isProxy ? 2 : 0)
        size += launch.joinsMessages ? 1 : 0
        size += launch.gaps.reduce(0) { $0 + 1 + Scenario.digits($1) }
        size += min(launch.launches, 9)
        return size + "\(launch.truePages)".count * 2 + Int(launch.truePages) / 10
    }
}
