import Arbiter
import SPModel

/// What stands at the beginning: VMs register, and what is known to come is planned.
extension SimulatedHost {
    mutating func settleIn() {
        // First, so that what happens at the same instants is counted, and is not.
        agenda.plan(.boundary, at: began)
        agenda.plan(.boundary, at: ended)
        for index in plan.guests.indices { moveIn(index) }
        for index in plan.launches.indices { prepare(index) }
        let places = plan.places
        let nobody = SimulatedLaunch(boot: BootRecord(requested: now, settled: now), random: SplitMix64(seed: 0))
        launches = Array(repeating: nobody, count: places)
        freePlaces = (0..<places).reversed()
        for (index, burst) in plan.teardowns.enumerated() {
            agenda.plan(.teardown(index), at: began + burst.first)
        }
        for (index, fault) in plan.faults.enumerated() { agenda.plan(.fault(index), at: began + fault.at) }
        for index in plan.launches.indices { planFirstLaunches(index) }
    }

    // MARK: Guests

    private mutating func moveIn(_ index: Int) {
        let group = plan.guests[index]
        guard let request = CommandSequence(kind: group.model.kind) else {
            preconditionFailure("'\(group.name)': \(group.model.kind) is no guest's request")
        }
        let first = guests.count
        groups.append(
            SimulatedGuestGroup(
                model: group.model, request: request,
                windows: WindowedCounts(
                    guests: group.count, window: plan.recording.window, length: plan.duration, began: began),
                members: first..<first + group.count))
        var phases = GroupPhases(group.phase, plan: plan, group: index)
        for member in 0..<group.count {
            let begins = now + phases.next(member, of: group.count)
            var guest = SimulatedGuest(
                group: index, member: member,
                path: CommandPath(plan.policy, joins: group.registration != nil), wanted: begins, began: begins,
                firstAttempt: begins, attempted: begins)
            guest.burstLeft = group.model.burst
            register(&guest, group)
            if group.isSilent { guest.stage = .silent }
            if guest.stage == .resting { agenda.plan(.guest(guests.count), at: begins) }
            guests.append(guest)
        }
    }

    private mutating func register(_ guest: inout SimulatedGuest, _ group: GuestGroup) {
        if case .rateLimit(let interval, let burst) = plan.policy, guest.path == .limited {
            guest.limit = LinuxRateLimit(interval: interval, burst: burst)
        }
        guard guest.path == .arbitrated, let registration = group.registration else {
            groups[guest.group].admission.admitted += 1
            return
        }
        do {
            let admission = try arbiter.register(registration, account: account, now: now)
            groups[guest.group].admission.add(admission)
            guest.vm = admission.vm
        } catch {
            groups[guest.group].admission.add(error)
            guest.record.isAdmitted = false
            guest.stage = .silent
        }
    }

    // MARK: Launches

    private mutating func prepare(_ index: Int) {
        let group = plan.launches[index]
        let seed = plan.seed &+ 1_000 &+ UInt64(index) << 32
        launchGroups.append(
            SimulatedLaunchGroup(
                path: CommandPath(plan.policy, joins: group.registration != nil), ioctls: group.ioctls,
                declared: group.declared, registration: group.registration ?? Registration(),
                crashesOneIn: group.misconduct.crashesOneIn, seed: seed, pattern: group.pattern,
                arrivals: RandomArrivals(every: group.pattern.meanInterval, seed: seed ^ 0x4152_5249_5645),
                record: LaunchGroupRecord(name: group.name)))
    }

    private mutating func planFirstLaunches(_ index: Int) {
        func plan(after offset: Nanoseconds) { agenda.plan(.request(group: index), at: began + offset) }
        switch launchGroups[index].pattern {
        case .oneAfterAnother: plan(after: .zero)
        case .continuous(let count): for _ in 0..<count { plan(after: .zero) }
        case .evenly(_, let first), .storm(_, let first, _): plan(after: first)
        case .random: plan(after: launchGroups[index].arrivals.next())
        }
    }
}

// MARK: - What the plan comes to

extension HostPlan {
    /// Launches that may be under way at once.
    var places: Int {
        let most = launches.reduce(0) { $0 + $1.pattern.openAtOnce }
        return min(most, HostLimits.launchesAtOnce)
    }

    /// VMs that the Arbiter may have to know at once.
    var virtualMachines: Int {
        guard policy == .spschedd else { return 1 }
        return guests.reduce(0) { $0 + ($1.registration == nil ? 0 : $1.count) } + places + 1
    }

    func priorityScheduler(now: Instant) -> PriorityScheduler {
        guard case .priority(let hold, let floor) = policy else {
            return PriorityScheduler(configuration, hold: false, floor: false, now: now)
        }
        return PriorityScheduler(configuration, hold: hold, floor: floor, now: now)
    }
}

extension LaunchPattern {
    fileprivate var meanInterval: Nanoseconds {
        guard case .random(let perMinute) = self else { return .zero }
        return .seconds(60) / perMinute
    }

    fileprivate var openAtOnce: Int {
        switch self {
        case .oneAfterAnother: 1
        // As many again boot.
        case .continuous(let atOnce): 2 * atOnce + 64
        case .storm(let count, _, nil): count
        case .evenly, .random, .storm: HostLimits.launchesAtOnce
        }
    }
}

extension GuestModel {
    fileprivate var burst: Int { if case .bursts(let count, _) = pace { count } else { 0 } }
}

/// The phases of one group's guests.
private struct GroupPhases {
    private let phase: StartPhase
    private var random: StartPhases

    /// The first group's random phases are those of the demonstration with the same seed.
    init(_ phase: StartPhase, plan: HostPlan, group: Int) {
        self.phase = phase
        let seed = plan.seed &+ UInt64(group) << 32
        if case .random(let within?) = phase {
            random = StartPhases(within: within, seed: seed)
        } else {
            random = StartPhases(warmUp: plan.warmUp, seed: seed)
        }
    }

    mutating func next(_ member: Int, of count: Int) -> Nanoseconds {
        switch phase {
        case .random: random.next()
        case .aligned: .zero
        case .spread(let time): time / Int64(count) * Int64(member)
        }
    }
}
