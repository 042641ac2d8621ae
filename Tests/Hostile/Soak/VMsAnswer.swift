/// What `soak-vms` prints: what its VMs asked for and were answered.
struct VMsAnswer: Codable {
    var sums: Counts
    /// Asked by VMs that died before they read the answer.
    var turnsInFlight, launchesInFlight, registrationsInFlight: Int64
    /// Turns that VMs held when they died.
    var heldAtDeath: Int64
    var deathsClean, deathsAbrupt, deathsKilled: Int64
    /// VMs that the daemon hung up on.
    var deathsBroken: Int64
    /// Those that live.
    var vms: [VM]

    struct Counts: Codable {
        var turnsAsked, guestGrants, launchGrants, turnErrors: Int64
        var launchesAsked, launchesBegun, launchesBusy, launchesRefused: Int64
        var registered, registrationsRefused, resumed, unregistered, revoked: Int64
        /// By the number of the reason.
        var busies: [Int64]

        enum CodingKeys: String, CodingKey {
            case registered, resumed, unregistered, revoked, busies
            case turnsAsked = "turns_asked"
            case guestGrants = "guest_grants"
            case launchGrants = "launch_grants"
            case turnErrors = "turn_errors"
            case launchesAsked = "launches_asked"
            case launchesBegun = "launches_begun"
            case launchesBusy = "launches_busy"
            case launchesRefused = "launches_refused"
            case registrationsRefused = "registrations_refused"
        }
    }

    /// Counted over all lives of its present registration.
    struct VM: Codable {
        var name: String
        var turnsInFlight, launchesInFlight: Int64
        var counts: Counts

        enum CodingKeys: String, CodingKey {
            case name, counts
            case turnsInFlight = "turns_in_flight"
            case launchesInFlight = "launches_in_flight"
        }
    }

    enum CodingKeys: String, CodingKey {
        case sums, vms
        case turnsInFlight = "turns_in_flight"
        case launchesInFlight = "launches_in_flight"
        case registrationsInFlight = "registrations_in_flight"
        case heldAtDeath = "held_at_death"
        case deathsClean = "deaths_clean"
        case deathsAbrupt = "deaths_abrupt"
        case deathsKilled = "deaths_killed"
        case deathsBroken = "deaths_broken"
    }
}
