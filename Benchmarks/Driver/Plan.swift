/// How often and how long each thing is measured.
struct Plan: Equatable, Sendable {
    let name: String
    /// Rounds of what costs a second or so; their medians are the results.
    let rounds: Int
    /// Rounds of what takes a fraction of a second and scatters more.
    let shortRounds: Int
    /// Timed operations of the one client whose latency is looked at: enough for a 99th percentile of 500.
    let operations: Int
    /// How long 64 clients run against each server, and how many times they do.
    let seconds: Int
    /// Grants of one round of the pure Arbiter.
    let grants: Int
    /// Turns of each client under strace(1), which makes each call ten times as long.
    let tracedTurns: Int

    static let full = Plan(
        name: "full", rounds: 7, shortRounds: 11, operations: 50_000, seconds: 2, grants: 200_000, tracedTurns: 3_000)
    /// Three rounds are the fewest that have a middle.
    static let quick = Plan(
        name: "quick", rounds: 3, shortRounds: 3, operations: 30_000, seconds: 1, grants: 100_000, tracedTurns: 1_000)
}
