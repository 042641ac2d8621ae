import Arbiter
import Reporting

/// What one policy came to against one number of antagonists.
struct RunResult: Equatable, Sendable {
    let policy: Policy
    let antagonists: Int
    /// `nil` without launches.
    let boot: LatencyStatistics?
    /// The same on the simulated host; `nil` without launches.
    let simulatedBoot: LatencyStatistics?
    /// Launches that came to an end.
    let launches: Int
    /// One more was still under way when its time was over.
    let isCut: Bool
    /// Between launches: while none had begun its commands and not finished them. `nil` if a launch filled the slot.
    let reportsPerSecond: Double?
    let jain: Double?
    let refusals: Int
    let lostKeys: Int
    /// The part of the slot in which the SP was at work.
    let utilisation: Double
    /// Long enough that fairness tells of the steady state; in less, the first VMs to start owe their lead.
    let isSteady: Bool

    init(_ record: SceneRecord) {
        let slot = TimeSpan(start: record.slotStart, end: record.slotEnd)
        isSteady = record.scene.slot >= DemoLimits.steadyAfter
        policy = record.scene.policy
        antagonists = record.scene.guests.count
        var latencies = record.launches.map { Latency($0.bootLatency) }
        if let cut = record.cutLaunch {
            latencies.append(Latency(cut.cut - cut.requested, isCut: true))
        }
        boot = LatencyStatistics(latencies)
        simulatedBoot = record.scene.launches == .none ? nil : SimulatedScene(record.scene).boot()
        launches = record.launches.count
        isCut = record.cutLaunch != nil
        reportsPerSecond = Self.reportsBetweenLaunches(record, in: slot)
        jain = JainIndex.of(record.reports.map { $0.count(where: slot.contains) })
        refusals = record.refusals.count(where: slot.contains)
        lostKeys = record.keysLost
        let busy = record.trace.reduce(Nanoseconds.zero) {
            $0 + TimeSpan(start: $1.start, end: $1.end).clipped(to: slot).length
        }
        utilisation = busy.seconds / slot.length.seconds
    }

    private static func reportsBetweenLaunches(_ record: SceneRecord, in slot: TimeSpan) -> Double? {
        var launching = record.launches.map { TimeSpan(start: $0.began, end: $0.ended) }
        if let cut = record.cutLaunch { launching.append(TimeSpan(start: cut.requested, end: cut.cut)) }
        let between = slot.without(launching)
        let length = between.reduce(Nanoseconds.zero) { $0 + $1.length }
        guard length.seconds > slot.length.seconds * DemoLimits.betweenLaunchesLeast else { return nil }
        let reports = record.reports.reduce(0) { sum, reports in
            sum + reports.count { report in between.contains { $0.contains(report) } }
        }
        return Double(reports) / length.seconds
    }
}

/// Everything the demo found out.
struct DemoResults: Sendable {
    var runs: [RunResult] = []
    var budget: [BudgetResult] = []
}
