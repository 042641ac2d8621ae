import Arbiter

/// The largest fleet of the same shape: every group's count times the same factor, rounded down.
public struct LargestFleet: Sendable {
    /// Counts by group.
    public let counts: [Int64]
    /// What `Fleet.scaled(to:)` makes it of: its number of VMs before counts were rounded down.
    let scale: Int64
    /// What refuses the next larger one; `nil`: it would have more VMs than any host.
    public let refusal: FleetRefusal?

    public var virtualMachines: Int64 { counts.reduce(0, +) }

    /// - Parameter fulfilled: whether every VM must get the reservation that it wants, or only the least it accepts.
    public init(_ fleet: Fleet, fulfilled: Bool) {
        var fitting: Int64 = 0
        var excessive = FleetLimits.virtualMachines + 1
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            if Self.fits(fleet.scaled(to: middle), fulfilled) { fitting = middle } else { excessive = middle }
        }
        scale = fitting
        counts = fleet.scaled(to: fitting).groups.map(\.count)
        guard excessive <= FleetLimits.virtualMachines else {
            refusal = nil
            return
        }
        let larger = FleetAdmission(fleet.scaled(to: excessive))
        refusal = larger.firstRefusal ?? (fulfilled ? Self.whatIsShort(fleet.scaled(to: excessive)) : nil)
    }

    private static func fits(_ fleet: Fleet, _ fulfilled: Bool) -> Bool {
        let admission = FleetAdmission(fleet)
        return fulfilled ? admission.isFulfilled : admission.isAdmitted
    }

    /// Why a reservation was granted in part: what refuses it to a VM that accepts no less.
    private static func whatIsShort(_ fleet: Fleet) -> FleetRefusal? {
        var strict = fleet
        for index in strict.groups.indices {
            let registration = strict.groups[index].registration
            let most = min(registration.reservationWanted, registration.limit ?? registration.reservationWanted)
            strict.groups[index].reservationLeast = most > .zero ? most : nil
        }
        return FleetAdmission(strict).firstRefusal
    }
}

extension Fleet {
    /// The same shape with at most so many VMs, and with launches in proportion.
    public func scaled(to virtualMachines: Int64) -> Fleet {
        let all = max(self.virtualMachines, 1)
        var fleet = self
        for index in groups.indices {
            fleet.groups[index].count = groups[index].count * virtualMachines / all
            fleet.groups[index].launches.scale(by: virtualMachines, of: all)
        }
        return fleet
    }
}

extension LaunchBehaviour {
    /// Where there are launches, some remain; random ones are a whole number in a minute.
    fileprivate mutating func scale(by part: Int64, of whole: Int64) {
        guard areExpected else { return }
        let least: Int64 = spacing == .random ? 1_000 : 1
        perThousandMinutes = max(perThousandMinutes * part / whole / least, 1) * least
    }
}
