import Reporting

/// The shape of `spschedctl demo --json`. What does not apply is null, never left out.
extension DemoResults: Encodable {
    enum CodingKeys: String, CodingKey { case runs, budget }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(runs, forKey: .runs)
        try container.encode(budget, forKey: .budget)
    }
}

extension RunResult: Encodable {
    enum CodingKeys: String, CodingKey {
        case policy, antagonists, launches, cut, jain, refusals
        case bootMilliseconds = "boot_ms"
        case simulatedBootMilliseconds = "simulated_boot_ms"
        case reportsPerSecond = "reports_per_s"
        case lostKeys = "lost_vmpck"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(policy, forKey: .policy)
        try container.encode(antagonists, forKey: .antagonists)
        try container.encode(BootMilliseconds(statistics: boot), forKey: .bootMilliseconds)
        try container.encode(
            BootMilliseconds(statistics: simulatedBoot), forKey: .simulatedBootMilliseconds)
        try container.encode(launches, forKey: .launches)
        try container.encode(isCut, forKey: .cut)
        try container.encode(reportsPerSecond?.rounded(decimals: 2), forKey: .reportsPerSecond)
        try container.encode(jain?.rounded(decimals: 4), forKey: .jain)
        try container.encode(refusals, forKey: .refusals)
        try container.encode(lostKeys, forKey: .lostKeys)
    }
}

private struct BootMilliseconds: Encodable {
    let statistics: LatencyStatistics?

    enum CodingKeys: String, CodingKey { case p50, p99, max }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(statistics?.p50.time.milliseconds.rounded(decimals: 2), forKey: .p50)
        try container.encode(statistics?.p99.time.milliseconds.rounded(decimals: 2), forKey: .p99)
        try container.encode(statistics?.max.time.milliseconds.rounded(decimals: 2), forKey: .max)
    }
}

extension BudgetResult: Encodable {
    enum CodingKeys: String, CodingKey {
        case vm, weight
        case limitPerSecond = "limit_per_s"
        case reservationPerSecond = "reservation_per_s"
        case expectedPerSecond = "expected_per_s"
        case gotPerSecond = "got_per_s"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(vm, forKey: .vm)
        try container.encode(limitPerSecond, forKey: .limitPerSecond)
        try container.encode(reservationPerSecond, forKey: .reservationPerSecond)
        try container.encode(weight, forKey: .weight)
        try container.encode(expectedPerSecond.rounded(decimals: 3), forKey: .expectedPerSecond)
        try container.encode(gotPerSecond?.rounded(decimals: 3), forKey: .gotPerSecond)
    }
}

extension Double {
    fileprivate func rounded(decimals: Int) -> Double {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
