import Arbiter
import Reporting

/// Who held the SP, around one launch of each policy.
struct TimelinePlot {
    /// One policy's stretch of the trace.
    private struct Lane {
        let policy: Policy
        let antagonists: Int
        let requested: Instant
        /// `nil` if the launch was cut.
        let ended: Instant?
        let runs: [TraceRun]

        /// How long after the request the first stretches of the launch's commands are over.
        var firstStretches: Nanoseconds? {
            let stretches = runs.filter { $0.isLaunch && $0.start >= requested }.prefix(TimelinePlot.stretchesShown)
            return stretches.last.map { $0.end - requested + .milliseconds(20) }
        }
    }

    private let lanes: [Lane]
    private let before: Nanoseconds
    private let after: Nanoseconds

    private static let width = 920.0
    private static let left = 150.0
    private static let right = 16.0
    private static let laneHeight = 84.0
    private static let top = 26.0
    private static let bottom = 44.0
    /// In a longer one the single reports could not be told apart.
    private static let longest = Nanoseconds.milliseconds(1_600)
    /// So many stretches of each launch are shown, if they fit.
    private static let stretchesShown = 3

    /// `nil` without launches.
    init?(_ records: [SceneRecord]) {
        let most = records.map { $0.scene.guests.count }.max() ?? 0
        let lanes = records.filter { $0.scene.guests.count == most }.compactMap(Self.lane)
        guard !lanes.isEmpty else { return nil }
        self.lanes = lanes
        let shortest = lanes.compactMap { lane in lane.ended.map { $0 - lane.requested } }.min()
        let needed = lanes.compactMap(\.firstStretches).max() ?? .zero
        after = min(max((shortest ?? .zero) * 2, needed), Self.longest)
        before = after / 8
    }

    /// The launch of middle latency; the one that was cut where none came to an end.
    private static func lane(_ record: SceneRecord) -> Lane? {
        let launches = record.launches.sorted { $0.bootLatency < $1.bootLatency }
        if !launches.isEmpty {
            let launch = launches[launches.count / 2]
            return Lane(
                policy: record.scene.policy, antagonists: record.scene.guests.count, requested: launch.requested,
                ended: launch.ended, runs: record.trace)
        }
        return record.cutLaunch.map { cut in
            Lane(
                policy: record.scene.policy, antagonists: record.scene.guests.count, requested: cut.requested,
                ended: nil, runs: record.trace)
        }
    }

    var markup: String {
        let height = Self.top + Double(lanes.count) * Self.laneHeight + Self.bottom
        var svg = SVG(width: Self.width, height: height, label: "Who held the SP around one launch of each policy")
        drawAxis(&svg, height)
        for (index, lane) in lanes.enumerated() {
            draw(lane, top: Self.top + Double(index) * Self.laneHeight, &svg)
        }
        return svg.markup
    }

    private func x(_ sinceRequest: Nanoseconds) -> Double {
        let part = (sinceRequest + before).seconds / (before + after).seconds
        return Self.left + part * (Self.width - Self.left - Self.right)
    }

    private func drawAxis(_ svg: inout SVG, _ height: Double) {
        let step = Self.step(of: before + after)
        var time = Nanoseconds.zero
        while time < after {
            svg.line(x(time), Self.top, x(time), height - Self.bottom, "grid")
            svg.text(
                "\(Format.fixed(time.milliseconds, 0)) ms", x(time), height - Self.bottom + 18, anchor: .middle, "tick")
            time += step
        }
        svg.text(
            "since the launch wanted its first command", (Self.left + Self.width) / 2, height - 6, anchor: .middle,
            "label")
    }

    private func draw(_ lane: Lane, top: Double, _ svg: inout SVG) {
        svg.text(lane.policy.rawValue, 0, top + 30, "name \(lane.policy.hue.rawValue)")
        svg.text("launch", Self.left - 10, top + 22, anchor: .end, "tick")
        svg.text("guests", Self.left - 10, top + 54, anchor: .end, "tick")
        let shown = TimeSpan(start: lane.requested - before, end: lane.requested + after)
        var isOdd = false
        for run in lane.runs {
            let span = TimeSpan(start: run.start, end: run.end).clipped(to: shown)
            guard span.length > .zero else { continue }
            isOdd.toggle()
            let start = x(span.start - lane.requested)
            let width = max(run.isLaunch ? 2 : 0.4, x(span.end - lane.requested) - start)
            let style = run.isLaunch ? "bar \(lane.policy.hue.rawValue)" : isOdd ? "shade" : "shade odd"
            svg.rectangle(start, run.isLaunch ? top + 8 : top + 40, width, 20, style)
        }
        guard let ended = lane.ended, ended - lane.requested < after else {
            svg.text("the launch goes on beyond this edge", x(after), top + 2, anchor: .end, "tick")
            return
        }
        let place = x(ended - lane.requested)
        svg.line(place, top + 4, place, top + 64, "mark")
        let took = Format.fixed((ended - lane.requested).milliseconds, 0)
        svg.text("last command after \(took) ms", place, top + 2, anchor: .middle, "tick")
    }

    /// Five to ten marks.
    private static func step(of length: Nanoseconds) -> Nanoseconds {
        let steps: [Int64] = [10, 20, 50, 100, 200, 500, 1_000, 2_000]
        return .milliseconds(steps.first { Nanoseconds.milliseconds($0) * 10 >= length } ?? 5_000)
    }
}
