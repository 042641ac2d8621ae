import Arbiter
import Reporting
import Simulation

/// A policy with the guests that it meets.
struct Contender: Hashable, Sendable {
    let name: String
    let policy: HostPolicy
    let guests: Antagonist
    let hue: Hue

    static func == (left: Self, right: Self) -> Bool { left.name == right.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    // MARK: Without a scheduler, as kernels are and as one was proposed

    static let mutex = Contender(name: "mutex", policy: .mutex, guests: .loop, hue: .orange)
    static let limited = Contender(name: "ratelimit", policy: .rateLimit, guests: .loop, hue: .amber)
    static let limitedAligned = Contender(
        name: "ratelimit, aligned", policy: .rateLimit, guests: .alignedLoop, hue: .amber)
    static let oneHertz = Contender(name: "ratelimit, 1 Hz", policy: .rateLimit, guests: .oneHertz, hue: .red)
    static let oneHertzAligned = Contender(
        name: "ratelimit, 1 Hz, aligned", policy: .rateLimit, guests: .alignedOneHertz, hue: .red)

    // MARK: What spschedd is made of

    static let priority = Contender(
        name: "priority only", policy: .priority(hold: false, floor: false), guests: .loop, hue: .purple)
    static let hold = Contender(
        name: "+ hold", policy: .priority(hold: true, floor: false), guests: .loop, hue: .green)
    static let floor = Contender(
        name: "+ hold + floor", policy: .priority(hold: true, floor: true), guests: .loop, hue: .grey)
    static let spschedd = Contender(name: "spschedd", policy: .spschedd, guests: .loop, hue: .blue)

    /// Nobody decides who comes next, so that boots grow with the number of guests.
    var isUnscheduled: Bool {
        switch policy {
        case .mutex, .rateLimit: true
        case .priority, .spschedd: false
        }
    }
}

/// How guests ask for reports, all of one cell alike. They are Linux guests, all have joined, and none reserves: beside
/// 100 VMs that reserve 1/s fewer than 256 would be admitted.
enum Antagonist: Sendable {
    /// In a tight loop, begun at random instants.
    case loop
    /// The same, all begun at once.
    case alignedLoop
    /// Once in 1.002 s: with the jiffy that a window of `___ratelimit` is longer than its interval, the limit of 1/s
    /// never refuses it. (A guest in a tight loop behind that limit comes to 0.49/s: one report, one BUSY, one sleep.)
    case oneHertz
    case alignedOneHertz

    func group(of count: Int, _ name: String = "antagonist") -> GuestGroup {
        GuestGroup(
            name, count: count, registration: Registration(reservationWanted: .zero), model: model,
            phase: isAligned ? .aligned : .random())
    }

    private var isAligned: Bool { self == .alignedLoop || self == .alignedOneHertz }

    private var model: GuestModel {
        switch self {
        case .loop, .alignedLoop: .tightLoop
        case .oneHertz, .alignedOneHertz: Self.everyWindow
        }
    }

    private static let everyWindow = GuestModel(pace: .period(every: .milliseconds(1_002)))
}
