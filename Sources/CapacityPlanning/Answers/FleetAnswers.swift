import Arbiter

/// What can be said of a fleet without playing it, and which fleet is to be played.
public struct FleetAnswers: Sendable {
    public struct Room: Sendable {
        /// How many VMs more of a group would be admitted, and of those with the reservation they want.
        public let admitted: Int64
        public let fulfilled: Int64
        /// What refuses the next; `nil`: nothing that a host has.
        public let refusal: FleetRefusal?
    }

    public let fleet: Fleet
    public let admission: FleetAdmission
    /// What would admit the fleet, if it is not.
    public let remedy: FleetRemedy?
    /// Where no setting is enough.
    public let smallerReservations: SmallerReservations?
    /// By group, beside the whole fleet; empty if that is not admitted.
    public let room: [Room]
    /// Of the same shape: with at least the reservations that are accepted, and with those that are wanted.
    public let largest: LargestFleet
    public let largestFulfilled: LargestFleet

    /// The fleet itself, or the largest of its shape if that is not admitted. Worst case and simulation are of this.
    public let played: Fleet
    public let playedAdmission: FleetAdmission
    public let worst: WorstCase

    public init(_ fleet: Fleet) {
        self.fleet = fleet
        let admission = FleetAdmission(fleet)
        self.admission = admission
        let remedy = admission.isAdmitted ? nil : FleetRemedy(fleet)
        self.remedy = remedy
        smallerReservations = remedy?.isEnough == false ? SmallerReservations(fleet) : nil
        largest = LargestFleet(fleet, fulfilled: false)
        largestFulfilled = LargestFleet(fleet, fulfilled: true)
        room = admission.isAdmitted ? fleet.groups.indices.map { Room(fleet, $0) } : []
        played = admission.isAdmitted ? fleet : fleet.scaled(to: largest.scale)
        playedAdmission = admission.isAdmitted ? admission : FleetAdmission(played)
        worst = WorstCase(played, playedAdmission)
    }

    /// Whether the figures are of another fleet than was asked about.
    public var isScaled: Bool { !admission.isAdmitted }
    /// Launches take more than is kept for them: reservations are suspended again and again.
    public var launchesExceedReserve: Bool {
        LaunchLoad(played).perSecond > played.configuration.arbiter.launchReservePerSecond
    }

    /// The least reserve that is enough for the launches; `nil`: there is none that leaves the fleet admitted.
    public var launchReserveNeeded: Nanoseconds? {
        let step = Nanoseconds.milliseconds(10).count
        var larger = played
        let needed = Nanoseconds((LaunchLoad(played).perSecond.count + step - 1) / step * step)
        larger.configuration.arbiter.launchReservePerSecond = needed
        guard needed < larger.configuration.arbiter.capacityPerSecond else { return nil }
        return FleetAdmission(larger).isAdmitted ? needed : nil
    }
}

extension FleetAnswers.Room {
    fileprivate init(_ fleet: Fleet, _ group: Int) {
        let room = FleetAdmission.room(in: fleet, for: group, fulfilled: false)
        admitted = room.count
        refusal = room.refusal
        fulfilled = FleetAdmission.room(in: fleet, for: group, fulfilled: true).count
    }
}
