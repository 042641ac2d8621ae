/// What `attacker` prints at its end.
struct AttackerAnswer: Codable {
    var processes, started: Int
    var messages, replies, connections, disconnected, refused, errors, busies, grants, revoked, failures: Int
    var leaseMax: Int64

    enum CodingKeys: String, CodingKey {
        case processes, started, messages, replies, connections, disconnected, refused, errors, busies, grants, revoked
        case failures
        case leaseMax = "lease_ns_max"
    }
}

/// `victim`: turns at full speed.
struct TurnsAnswer: Codable {
    var turns, busies: Int
    var mean, p50, p99, max: Int64

    enum CodingKeys: String, CodingKey {
        case turns, busies
        case mean = "mean_ns"
        case p50 = "p50_ns"
        case p99 = "p99_ns"
        case max = "max_ns"
    }
}

/// `victim`: the longest wait for a report, and each launch.
struct WaitsAnswer: Codable {
    var reports, busies: Int
    var longest: Int64
    var launches: [Launch]

    struct Launch: Codable {
        var total, work, think: Int64
        var gaps: Int64
        /// It was not over after 8 s.
        var isGivenUp: Bool

        enum CodingKeys: String, CodingKey {
            case total = "total_ns"
            case work = "work_ns"
            case think = "think_ns"
            case gaps
            case isGivenUp = "is_given_up"
        }
    }

    enum CodingKeys: String, CodingKey {
        case reports, busies, launches
        case longest = "longest_ns"
    }
}

/// `victim`: another VM's way in.
struct NewcomerAnswer: Codable {
    var took: Int64
    var isRegistered: Bool

    enum CodingKeys: String, CodingKey {
        case took = "took_ns"
        case isRegistered = "is_registered"
    }
}
