/// One measured figure: its key in the JSON, its unit, and what it must be.
struct Metric: Equatable, Sendable {
    enum Goal: Equatable, Sendable {
        case atMost(mark: Double, aim: Double?)
        case atLeast(mark: Double, aim: Double?)

        var mark: Double {
            switch self {
            case .atMost(let mark, _), .atLeast(let mark, _): mark
            }
        }

        var aim: Double? {
            switch self {
            case .atMost(_, let aim), .atLeast(_, let aim): aim
            }
        }

        var sign: String {
            switch self {
            case .atMost: "≤"
            case .atLeast: "≥"
            }
        }

        func isMet(by value: Double) -> Bool { reaches(mark, value) }
        func isAimMet(by value: Double) -> Bool { aim.map { reaches($0, value) } ?? false }

        private func reaches(_ goal: Double, _ value: Double) -> Bool {
            switch self {
            case .atMost: value <= goal
            case .atLeast: value >= goal
            }
        }
    }

    let key: String
    let unit: String
    let meaning: String
    var goal: Goal?

    init(_ key: String, _ unit: String, _ meaning: String, _ goal: Goal? = nil) {
        self.key = key
        self.unit = unit
        self.meaning = meaning
        self.goal = goal
    }
}

// MARK: - The table of them

extension Metric {
    static let turnP50 = Metric(
        "turn_p50_ratio", "× echo", "ACQUIRE to GRANTED, 1 client, one CPU, median", .atMost(mark: 1.5, aim: 1.25))
    static let turnP99 = Metric(
        "turn_p99_ratio", "× echo", "the same, 99th percentile", .atMost(mark: 2.0, aim: 1.5))
    static let cycleP50 = Metric("cycle_p50_ratio", "× echo", "RELEASE_AND_ACQUIRE to GRANTED, 1 client, one CPU")
    static let turnThroughClientP50 = Metric("library_p50_ratio", "× echo", "as turn_p50_ratio, through libspsched")
    static let echoP50Time = Metric("echo_p50_us", "µs", "the echo server's 64 bytes there and back")
    static let turnP50Time = Metric("turn_p50_us", "µs", "what turn_p50_ratio is the ratio of")
    static let turnP99Time = Metric("turn_p99_us", "µs", "what turn_p99_ratio is the ratio of")

    static let turnP50Traced = Metric(
        "turn_p50_traced_ratio", "× untraced", "ACQUIRE to GRANTED, 1 client, with every decision recorded",
        .atMost(mark: 1.01, aim: nil))
    static let cycleP50Traced = Metric(
        "cycle_p50_traced_ratio", "× untraced", "RELEASE_AND_ACQUIRE to GRANTED, the same")

    static let turnP99Polled = Metric(
        "turn_p99_polled_ratio", "× unpolled", "ACQUIRE to GRANTED, 1 client of 1,000 VMs, polled without a pause, p99",
        .atMost(mark: 1.1, aim: nil))
    static let turnP99PolledPaced = Metric(
        "turn_p99_polled_paced_ratio", "× unpolled", "the same, a request every 2 ms, which operators are not in time")
    static let turnP99PolledAdded = Metric(
        "turn_p99_polled_paced_added_us", "µs", "what that adds to the 99th percentile")

    static let turnsPerSecond = Metric(
        "turns_per_s_ratio_64", "× one-turn", "turns of 64 client processes, one CPU", .atLeast(mark: 0.7, aim: 0.9))
    static let turnsPerSecondTwo = Metric(
        "turns_per_s_ratio_64_two_cpus", "× one-turn", "the same, clients on another CPU than the server")
    static let cpuPerTurn = Metric(
        "cpu_per_turn_ratio_64", "× one-turn", "the server's own CPU time for a turn, in the same runs")
    static let turnsPerSecondAbsolute = Metric("turns_per_s_64", "1/s", "what turns_per_s_ratio_64 is the ratio of")
    static let cpuPerTurnTime = Metric("cpu_per_turn_us_64", "µs", "what cpu_per_turn_ratio_64 is the ratio of")

    static let turnP50TwoCPUs = Metric(
        "turn_p50_ratio_two_cpus", "× echo", "ACQUIRE to GRANTED, the client on another CPU, nobody spins")
    static let turnP50Spin = Metric(
        "turn_p50_ratio_spin", "× echo", "the same where daemon and client spin, and the echo does not")

    static let allocations = Metric(
        "allocations_per_turn", "1", "calls of malloc and its kin, 1 and 64 clients", .atMost(mark: 0, aim: 0))
    static let allocationsTraced = Metric(
        "allocations_per_turn_traced", "1", "the same, with every decision recorded", .atMost(mark: 0, aim: 0))
    static let systemCallsTraced = Metric(
        "syscalls_per_turn_traced", "1", "system calls of the daemon, 1 client, with every decision recorded")
    static let systemCalls = Metric("syscalls_per_turn", "1", "system calls of the daemon, 1 client")
    static let systemCalls64 = Metric("syscalls_per_turn_64", "1", "system calls of the daemon, 64 clients")

    static let decision100 = Metric("decision_ns_100", "ns", "release, request and grant in the Arbiter, 100 VMs")
    static let decision1000 = Metric(
        "decision_ns_1000", "ns", "the same, 1,000 VMs", .atMost(mark: 500, aim: 300))
    static let decision10000 = Metric("decision_ns_10000", "ns", "the same, 10,000 VMs")
    static let decisionGrowth = Metric(
        "decision_ratio_10000", "× at 100", "10,000 VMs against 100", .atMost(mark: 2, aim: nil))

    static let simulatedCommands = Metric(
        "simulated_commands_per_s", "1/s", "firmware commands of a simulated host, 64 looping VMs and launches",
        .atLeast(mark: 1_000_000, aim: nil))
    static let simulatedCommands1024 = Metric("simulated_commands_per_s_1024", "1/s", "the same, 1,024 looping VMs")

    static let rss = Metric(
        "rss_mib_1000_vms", "MiB", "resident memory, 1,000 VMs connected, after 20,000 turns",
        .atMost(mark: 24, aim: 16))
    static let rssAnonymous = Metric("rss_anon_mib_1000_vms", "MiB", "of it, the daemon's own data")
    static let rssFile = Metric("rss_file_mib_1000_vms", "MiB", "of it, mapped programs and libraries")
    static let ready = Metric(
        "ready_ms", "ms", "from the start of the process to READY=1", .atMost(mark: 150, aim: 100))
    static let connect1000 = Metric("connect_register_ms_1000", "ms", "1,000 VMs connect and register, one by one")
}
