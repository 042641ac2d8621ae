import Arbiter
import SPModel
import Simulation

/// A fleet in virtual time: the production Arbiter between its VMs and the model of its SP.
public struct FleetSimulation: ~Copyable {
    private let fleet: Fleet
    private let groups: [SimulatedGroup]
    private var host: SimulatedHost

    /// What is not counted, at the beginning: five sleeps of a refused guest.
    static let warmUp = Nanoseconds.seconds(10)
    /// How much longer a launch under way at the end may take.
    static let grace = Nanoseconds.seconds(60)
    /// Reports are counted in at most so many windows: what a picture can show without flicker.
    static let windows: Int64 = 60

    /// How much is played when so much is asked for: less where guests that ask at once, for ever, are so many that it
    /// would take minutes.
    public static func seconds(of fleet: Fleet, asked seconds: Int64) -> Int64 {
        let hostile = fleet.groups.reduce(0) { $0 + ($1.guest.kind == .hostile ? $1.count : 0) }
        guard hostile > 0 else { return seconds }
        let requestsPerSecond = hostile * 1_000_000_000 / fleet.sp.profile.gaps.guestThink.count
        let most = FleetLimits.hostileRequests / requestsPerSecond - warmUp.count / 1_000_000_000
        return min(seconds, max(most, FleetLimits.secondsLeast))
    }

    /// - Parameter admission: of this fleet, which must be admitted.
    public init(
        _ fleet: Fleet, _ admission: FleetAdmission, seconds: Int64, seed: UInt64
    ) throws(HostPlanError) {
        self.fleet = fleet
        var plan = HostPlan(
            seed: seed, configuration: fleet.configuration.arbiter, profile: fleet.sp.profile, warmUp: Self.warmUp,
            duration: .seconds(seconds), grace: Self.grace)
        // What an account may reserve was settled by admission; here all VMs are of one account.
        plan.configuration.accountReservationMax = nil
        plan.recording.window = .seconds(max(1, (seconds + Self.windows - 1) / Self.windows))
        let worst = WorstCase(fleet, admission)
        var groups: [SimulatedGroup] = []
        for (index, group) in fleet.groups.enumerated() {
            groups.append(plan.add(group, admission.groups[index], worst.groups[index]))
        }
        plan.guests += fleet.unjoined.map(GuestGroup.init)
        self.groups = groups
        host = try SimulatedHost(plan)
    }

    public var elapsed: Nanoseconds { host.elapsed }
    /// Where `elapsed` ends, unless a launch is still under way then.
    public var expected: Nanoseconds { host.plan.warmUp + host.plan.duration }
    public var isDone: Bool { host.isDone }
    public var commands: UInt64 { host.commands }

    /// Plays on until `elapsed` has reached this, or all is over.
    public mutating func play(to elapsed: Nanoseconds) { host.play(to: elapsed) }

    /// Once it is done.
    public var outcome: SimulatedFleet { SimulatedFleet(fleet, groups, host.record) }
}

/// Where a fleet's group stands in a simulated host's plan.
struct SimulatedGroup: Sendable {
    /// One for each reservation that was granted.
    var guests: Range<Int>
    var launches: Int?
    /// VMs of the group that are being launched, and attest meanwhile in nobody's place.
    var away: Int64
}

extension HostPlan {
    fileprivate mutating func add(
        _ group: FleetGroup, _ admitted: FleetAdmission.Group, _ worst: WorstCase.Group
    ) -> SimulatedGroup {
        let first = guests.count
        let isLaunched = group.launches.areExpected && group.count > 0
        let away = isLaunched ? min(group.count, group.launches.underWay(worst.launch)) : 0
        var leaving = away
        for (reservation, count) in admitted.granted.reversed() {
            let staying = max(count - leaving, 0)
            leaving -= count - staying
            guests.insert(GuestGroup(group, reservation: reservation, count: staying), at: first)
        }
        var launched: Int?
        if isLaunched {
            launched = launches.count
            launches.append(LaunchGroup(group, reservation: admitted.granted.last?.reservation ?? .zero))
        }
        return SimulatedGroup(guests: first..<guests.count, launches: launched, away: away)
    }
}

extension LaunchBehaviour {
    /// How many of the group's VMs are being launched at one time, with some room for chance.
    fileprivate func underWay(_ launch: WorstCase.Bound?) -> Int64 {
        var longest = Nanoseconds.seconds(60)
        if case .within(let bound)? = launch { longest = min(bound, longest) }
        let mean = Double((longest + BootModel.outsideTheSP).count) / 60e9 * Double(perThousandMinutes) / 1_000
        switch spacing {
        case .even: return Int64(mean) + 1
        case .random: return Int64(mean + 4 * mean.squareRoot()) + 1
        }
    }

    fileprivate var pattern: LaunchPattern {
        switch spacing {
        case .even:
            // The first in the middle of its interval: groups of different pace do not all begin together.
            let every = Nanoseconds(60_000_000_000_000 / perThousandMinutes)
            return .evenly(every: every, first: every / 2)
        case .random: return .random(perMinute: perThousandMinutes / 1_000)
        }
    }
}

// MARK: - As a simulated host takes them

extension GuestGroup {
    fileprivate init(_ group: FleetGroup, reservation: Rate, count: Int64) {
        self.init(
            group.name, count: Int(count), registration: group.registration.granted(reservation),
            model: GuestModel(group.guest), phase: StartPhase(group.guest))
        isSilent = group.guest.requests == .none
    }

    fileprivate init(_ group: UnjoinedGroup) {
        self.init(
            group.name, count: Int(group.count), registration: nil, model: GuestModel(group.guest),
            phase: StartPhase(group.guest))
        isSilent = group.guest.requests == .none
    }
}

extension LaunchGroup {
    fileprivate init(_ group: FleetGroup, reservation: Rate) {
        self.init(
            group.name, profile: group.launches.profile.profile, virtualCPUs: UInt32(group.launches.virtualCPUs),
            registration: group.registration.granted(reservation),
            style: group.launches.turns == .whole ? .whole : .regions, pattern: group.launches.pattern)
    }
}

extension Registration {
    /// As it was admitted: the same again is admitted in the same place.
    fileprivate func granted(_ reservation: Rate) -> Registration {
        var registration = self
        registration.reservationWanted = reservation
        registration.reservationLeast = min(reservationLeast, reservation)
        return registration
    }
}

extension GuestModel {
    fileprivate init(_ guest: GuestBehaviour) {
        let pace: GuestPace =
            switch guest.requests {
            case .none, .loop: .loop
            case .every(let rate) where guest.atOnce == 1: .schedule(every: rate.interval)
            case .every(let rate):
                .bursts(of: Int(guest.atOnce), every: Nanoseconds(rate.interval.count * guest.atOnce))
            }
        let driver: DriverModel =
            switch guest.kind {
            case .linux: .linux
            case .once: .once
            case .never: .never
            case .hostile: .insistent
            }
        self.init(pace: pace, driver: driver)
    }
}

extension StartPhase {
    /// At random within one interval of a schedule: guests of a slow one do not all begin in the first seconds.
    fileprivate init(_ guest: GuestBehaviour) {
        switch (guest.starts, guest.requests) {
        case (.aligned, _): self = .aligned
        case (.random, .every(let rate)): self = .random(within: Nanoseconds(rate.interval.count * guest.atOnce))
        case (.random, _): self = .random()
        }
    }
}
