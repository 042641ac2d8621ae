/// The bounds of promises P1, P2, P6 and P7 (section 6 of `docs/architecture.md`), by their formulas. Admission keeps
/// to these, with planning costs.
public struct PromiseBounds: Sendable {
    public let configuration: Configuration
    public let turns: LargestTurns

    /// - Parameter turns: the largest that occur; those of the planning costs if `nil`.
    public init(_ configuration: Configuration, turns: LargestTurns? = nil) {
        self.configuration = configuration
        self.turns = turns ?? LargestTurns(planning: configuration)
    }

    // MARK: P1 and P2

    /// From the first command of a launch that is first in line to its last; `nil` if that is more than a day, or
    /// platform commands alone can take all that the floor leaves.
    ///
    /// For the j-th launch of a storm, `launch` is the sum of the first j.
    /// - Parameter floorBucket: the floor's bucket at the start; the fullest there is if `nil`.
    /// - Parameter residual: what is left of the command in service at the start; the largest turn if `nil`.
    public func launch(
        _ launch: LaunchDemand, floorBucket: Nanoseconds? = nil, residual: Nanoseconds? = nil
    ) -> Nanoseconds? {
        let inGap = max(turns.guest, turns.launch, turns.platform)
        let work = launch.work + launch.think + (residual ?? inGap) + inGap * launch.gapsNotHeld
        guard work <= Limits.boundMax else { return nil }
        let bucket = floorBucket ?? fullestFloorBucket
        return Self.leastFixedPoint { time in
            let seconds = (time.count + 999_999_999) / 1_000_000_000
            let base = work + turns.platform * max(seconds, 1)
            return max(base, unfloored.whole(of: base + bucket + turns.guest))
        }
    }

    /// What the floor leaves: 1 − φ.
    private var unfloored: Share { Share(perMille: 1_000 - configuration.floorShare.perMille) }

    /// s_g + φ·s_l
    private var fullestFloorBucket: Nanoseconds { turns.guest + configuration.floorShare.of(turns.launch) }

    /// Where a bound depends on itself, by the platform commands that may come meanwhile.
    private static func leastFixedPoint(_ next: (Nanoseconds) -> Nanoseconds) -> Nanoseconds? {
        var time = Nanoseconds.zero
        // Each step that is not the last has begun another second.
        while time <= Limits.boundMax {
            let longer = next(time)
            if longer == time { return time }
            time = longer
        }
        return nil
    }

    // MARK: P6

    /// R: SP time per second that reservations may use together.
    public var reservable: Nanoseconds { configuration.capacityPerSecond - configuration.launchReservePerSecond }

    /// The longest wait inside a reservation, platform commands not counted.
    /// - Parameter bursts: the sum of the bursts of VMs with a reservation.
    /// - Parameter unreserved: how many VMs have none.
    public func reservedWait(bursts: Int64, unreserved: Int64) -> Nanoseconds {
        let largest = max(turns.launch, turns.guest, turns.platform)
        let work = configuration.launchBurst + largest + turns.guest * (bursts + unreserved)
        return Nanoseconds(work.count * 1_000 / max(reservable.count / 1_000_000, 1))
    }

    // MARK: P7

    /// How long the floor alone may need to serve each of so many VMs `turns` times. Admission keeps it within
    /// `Limits.frozenMax`, with two turns where a VM must not be refused.
    public func patience(virtualMachines: Int64, turns times: Int64) -> Nanoseconds {
        configuration.floorShare.whole(of: turns.guest * (virtualMachines * times)) + configuration.floorDelay
            + turns.launch
    }

    /// Until an attempt that must not be refused starts: it goes before reservations once it has waited long.
    public func protectedWait(virtualMachines: Int64) -> Nanoseconds {
        Limits.protectedAgedAfter + patience(virtualMachines: virtualMachines, turns: 1)
    }
}

/// s_g, s_l and s_o: the longest turn of each class.
public struct LargestTurns: Equatable, Sendable {
    public var guest: Nanoseconds
    public var launch: Nanoseconds
    public var platform: Nanoseconds

    public init(guest: Nanoseconds, launch: Nanoseconds, platform: Nanoseconds) {
        self.guest = guest
        self.launch = launch
        self.platform = platform
    }

    /// As admission reckons.
    public init(planning configuration: Configuration) {
        let costs = configuration.planningCosts
        guest = costs.report
        launch = max(
            costs.launchPage * Int64(configuration.chunkPages), costs.launchStart, costs.launchFinish + costs.launchPage
        )
        platform = max(costs.platformCommand, costs.platformStatus)
    }
}

/// What a launch needs, or several one after the other.
public struct LaunchDemand: Equatable, Sendable {
    /// B: SP time, from grant to release.
    public var work: Nanoseconds
    /// Z: what its VMM takes between its commands.
    public var think: Nanoseconds
    /// m: gaps that no hold covers.
    public var gapsNotHeld: Int64

    public init(work: Nanoseconds, think: Nanoseconds, gapsNotHeld: Int64) {
        self.work = work
        self.think = think
        self.gapsNotHeld = gapsNotHeld
    }

    public static func + (left: Self, right: Self) -> Self {
        Self(
            work: left.work + right.work, think: left.think + right.think,
            gapsNotHeld: left.gapsNotHeld + right.gapsNotHeld)
    }

    public static func * (left: Self, count: Int64) -> Self {
        Self(work: left.work * count, think: left.think * count, gapsNotHeld: left.gapsNotHeld * count)
    }
}
