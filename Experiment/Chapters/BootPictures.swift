import Arbiter
import Reporting

/// The pictures of boot latency.
struct BootPictures {
    private let boots: Boots

    init(_ boots: Boots) { self.boots = boots }

    var all: [Picture] {
        [
            Picture(file: "boot-latency.svg", chart: overNumbers([.mutex, .limited, .oneHertz, .priority, .spschedd])),
            Picture(file: "boot-phases.svg", chart: phases),
            Picture(file: "boot-distribution-64.svg", chart: distribution(64)),
            Picture(file: "boot-distribution-128.svg", chart: distribution(128)),
        ]
    }

    // MARK: Against N

    private let numberAxis = Axis.doublings("VMs that attest (N)", of: BootLatency.numbers)
    private static let time = "time from the first command to the running VM"

    private func overNumbers(_ contenders: [Contender]) -> SVG {
        LineChart(
            "Boot latency against the number of VMs that attest, for each policy", x: numberAxis,
            y: .times(Self.time, holding: times(contenders)), series: contenders.map { line($0) }
        ).svg
    }

    /// Up to the numbers at which it no longer matters.
    private var phases: SVG {
        let numbers = BootLatency.numbers.filter { $0 <= 128 }
        let contenders: [Contender] = [.limited, .limitedAligned, .oneHertz, .oneHertzAligned]
        let names = ["tight loop", "tight loop, aligned", "1 Hz", "1 Hz, aligned"]
        return LineChart(
            "Boot latency behind a limit of one request a second, by start phase and pace",
            x: .doublings("VMs that attest (N)", of: numbers),
            y: .times(Self.time, holding: times(contenders, numbers)),
            series: zip(contenders, names).map { contender, name in
                var line = line(contender, numbers)
                line.name = name
                line.isDashed = contender == .limitedAligned || contender == .oneHertzAligned
                return line
            }, room: 190
        ).svg
    }

    private func times(_ contenders: [Contender], _ numbers: [Int] = BootLatency.numbers) -> [Nanoseconds] {
        contenders.flatMap { contender in
            numbers.map { boots.statistics(contender, $0) }.flatMap { [$0.p50.time, $0.p99.time] }
        }
    }

    private func line(_ contender: Contender, _ numbers: [Int] = BootLatency.numbers) -> LineChart.Series {
        let all = numbers.map { (number: $0, boot: boots.statistics(contender, $0)) }
        return LineChart.Series(
            contender.name, note: all.last?.boot.p50.cell, contender.hue,
            points: all.map { number, boot in
                LineChart.Point(
                    Double(number), boot.p50.time.milliseconds, tail: boot.p99.time.milliseconds,
                    isLeast: boot.p50.isCut, tailIsLeast: boot.p99.isCut)
            })
    }

    // MARK: Distributions

    private func distribution(_ number: Int) -> SVG {
        let contenders: [Contender] = [.oneHertz, .limited, .priority, .hold, .spschedd]
        let curves = contenders.map { ($0, boots.latencies($0, number)) }
        return LineChart(
            "Distribution of boot latency beside \(number) VMs",
            x: .times(
                "time from the first command to the running VM, N = \(number)", holding: extremes(curves.map(\.1))),
            y: .linear("launches done, %", to: 100), series: curves.map { Self.curve($0, $1) }
        ).svg
    }

    private func extremes(_ latencies: [Latencies]) -> [Nanoseconds] {
        latencies.flatMap { [$0.sorted.first, $0.sorted.last] }.compactMap { $0?.time }
    }

    /// From zero at the least value on.
    private static func curve(_ contender: Contender, _ latencies: Latencies) -> LineChart.Series {
        let steps = latencies.distribution(steps: 200).map {
            LineChart.Point($0.time.milliseconds, $0.perMille / 10)
        }
        let start = steps.first.map { [LineChart.Point($0.x, 0)] } ?? []
        return LineChart.Series(
            contender.name, note: latencies.quantile(perMille: 500)?.cell, contender.hue, hasMarkers: false,
            isStepped: true, points: start + steps)
    }
}
