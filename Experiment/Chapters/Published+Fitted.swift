import Arbiter
import Reporting
import SPModel
import Simulation

extension Published {
    static let severifast = "[SEVeriFast](https://doi.org/10.1145/3620665.3640424), concurrent boot"
    static let tacra = "[tacra-est](https://github.com/nikolaichuk7/tacra-est), Milan cloud host, n = 180"
    static let series = "[kernel patch v6](https://lore.kernel.org/r/20250605150236.3775954-2-dionnaglaze@google.com)"

    /// One guest in a tight loop, alone.
    static let oneGuest: Cell = {
        var plan = HostPlan(policy: .mutex, duration: .seconds(600), grace: .zero)
        plan.guests = [GuestGroup("alone", count: 1)]
        return Cell("published/one-guest", plan)
    }()

    func fitted(_ results: Results) -> [Comparison] {
        let idle = LatencyStatistics(results[BootLatency.cells(.limited, 0)].boots(within: BootLatency.patience))
        let boot = idle?.p50.time ?? .zero
        let report = reportInGuest(results[Self.oneGuest], perMille: 500)
        let region = Self.oneMebibyte
        return [
            Slope.microvm.comparison(results), Slope.firmware.comparison(results),
            Comparison(
                what: "measuring 1 MiB in one ioctl", published: "257 ms", here: region.cell, within: "± 3 ms",
                holds: abs(region.milliseconds - 257) <= 3,
                source: "[SEVeriFast](https://github.com/SEVeriFast/severifast), pre-encryption"),
            Comparison(
                what: "a report, seen from the guest (p50)", published: "7.9 ms", here: report.cell, within: "± 2 %",
                holds: abs(report.milliseconds - 7.91) <= 0.16, source: Self.tacra),
            Comparison(
                what: "boot on an idle host (144 ms outside the SP)", published: "220 ms", here: boot.cell,
                within: "± 5 ms", holds: abs(boot.milliseconds - 220) <= 5, source: Self.series),
        ]
    }

    /// What the guest's ioctl takes: the model's latency and the guest's own part, which it keeps apart.
    func reportInGuest(_ record: HostRecord, perMille: Int64) -> Nanoseconds {
        (record.reportLatency.percentile(perMille: perMille) ?? .zero) + Profile.milan2024.gaps.guestThink
    }

    /// The middle of 101 such ioctls on an idle SP.
    private static let oneMebibyte: Nanoseconds = {
        guard let ioctl = CommandSequence(kind: .launchUpdate, units: 256) else { return .zero }
        let times = (UInt64(0)..<101).map { seed -> Nanoseconds in
            var processor = SecureProcessor(profile: .milan2024, seed: seed)
            var ended: [SecureProcessor.Completion] = []
            let start = Instant(sinceBoot: .seconds(1))
            processor.submit(ioctl, origin: 1, tag: 1, at: start, into: &ended)
            processor.advance(to: start + .seconds(10), into: &ended)
            return (ended.first?.ended ?? start) - start
        }
        return times.sorted()[50]
    }()
}

/// How much later the slowest of n launches at once is done, for each launch more.
struct Slope: Sendable {
    let name: String
    let profile: LaunchProfile
    let published: Double

    static let microvm = Slope(name: "small VM (Firecracker)", profile: .microvm, published: 33.7)
    static let firmware = Slope(name: "QEMU with 1 MiB OVMF", profile: .ovmf1MiB, published: 556)

    private static let sizes = [1, 10, 25, 49]
    private static let storms: Int64 = 10

    var cells: [Cell] { Self.sizes.map(cell) }

    private func cell(_ size: Int) -> Cell {
        let every = Nanoseconds.seconds(60)
        var plan = HostPlan(policy: .mutex, duration: every * Self.storms, grace: .zero)
        plan.launches = [LaunchGroup(profile: profile, pattern: .storm(of: size, every: every))]
        return Cell("published/slope/\(profile.name)/\(size)", plan)
    }

    /// Least squares, as the published figures were.
    func milliseconds(_ results: Results) -> Double {
        let points = Self.sizes.map { (x: Double($0), y: slowest(results[cell($0)]).milliseconds) }
        let count = Double(points.count)
        let (sumX, sumY) = (points.reduce(0) { $0 + $1.x }, points.reduce(0) { $0 + $1.y })
        let (sumXY, sumXX) = (points.reduce(0) { $0 + $1.x * $1.y }, points.reduce(0) { $0 + $1.x * $1.x })
        return (count * sumXY - sumX * sumY) / (count * sumXX - sumX * sumX)
    }

    private func slowest(_ record: HostRecord) -> Nanoseconds {
        var storms: [Instant: Nanoseconds] = [:]
        for boot in record.launches.flatMap(\.boots) {
            storms[boot.requested] = max(storms[boot.requested] ?? .zero, boot.latency)
        }
        return storms.values.reduce(.zero, +) / Int64(max(storms.count, 1))
    }

    func comparison(_ results: Results) -> Comparison {
        let here = milliseconds(results)
        return Comparison(
            what: "slowest of n boots at once, for each more: \(name)",
            published: "\(Format.fixed(published, published < 100 ? 1 : 0)) ms", here: "\(Format.fixed(here, 1)) ms",
            within: "± 15 %", holds: abs(here - published) <= published * 0.15, source: Published.severifast)
    }
}
