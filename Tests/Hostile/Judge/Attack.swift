/// One attack of `attacker.c`, in so many processes, and what the victims are owed beside it.
struct Attack {
    let name: String
    let processes: Int
    let owed: Owed
    /// Whether the journal must name the account: it did something that the daemon can see to be wrong.
    let isNamed: Bool

    enum Owed {
        /// Nothing is judged: it is no attack, but what the machine itself does to the victims.
        case nothing
        /// Grants about as fast as without the attack: it holds neither a turn nor a launch.
        case speed
        /// The bounds of section 6 of `docs/architecture.md`, with the lease as the length of the attacker's turns.
        case bounds(guests: GuestBound, launches: Int)
    }

    enum GuestBound {
        /// P6: the wait inside a reservation.
        case reservation
        /// P3: what the floor gives while launches use more than their reserve, and P6 is suspended.
        case floor
    }

    var title: String { processes == 1 ? name : "\(name) ×\(processes)" }
}

extension Attack {
    static let all: [Attack] =
        [Attack(name: "control", processes: 1, owed: .nothing, isNamed: false)] + clients + floods + launches + holders

    private static func quick(_ name: String, _ processes: Int, isNamed: Bool = true) -> Attack {
        Attack(name: name, processes: processes, owed: .speed, isNamed: isNamed)
    }

    /// As many as a host has VMs at the defaults, nearly: 259 are admitted.
    private static let many = 200

    private static let clients = [
        quick("slow-reader", 4), quick("silent", 2), quick("garbage", 1), quick("garbage", many),
        quick("half-messages", 4), quick("connections", 8), quick("connect-storm", 4),
        // The kernel refuses the descriptors where it can (Linux 6.16), and the daemon sees nothing.
        quick("descriptors", 4, isNamed: false),
        quick("fork-storm", 4), quick("churn", 4),
    ]

    private static let floods = ["flood-busy", "flood-error", "flood-cancel", "flood-release", "flood-resync"].flatMap {
        [quick($0, 1), quick($0, many)]
    }

    private static let launches = [quick("launch-begin", 4), quick("launch-again", 4)]

    private static let holders = [
        Attack(
            name: "held-session", processes: 8, owed: .bounds(guests: .reservation, launches: 4), isNamed: false),
        Attack(
            name: "stopped-turn", processes: 8, owed: .bounds(guests: .reservation, launches: 4), isNamed: false),
        Attack(
            name: "lying-errors", processes: 8, owed: .bounds(guests: .reservation, launches: 4), isNamed: false),
        Attack(name: "lying-pages", processes: 4, owed: .bounds(guests: .floor, launches: 4), isNamed: false),
        // Launches are served first come, first served: behind one of 16,384 pages a victim's waits for P2's sum.
        Attack(name: "lying-most", processes: 4, owed: .bounds(guests: .floor, launches: 0), isNamed: false),
    ]
}
