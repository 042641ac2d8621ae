import Arbiter
import Reporting
import TraceFormat
import TraceReplay

/// A replay as one HTML file: the lanes, and what would have changed.
struct ReplayPage {
    private let story: Story
    private let comparison: Story.Comparison?
    private let window: ReplayWindow

    init(_ story: Story, _ comparison: Story.Comparison?, _ window: ReplayWindow) {
        (self.story, self.comparison, self.window) = (story, comparison, window)
    }

    var html: String {
        let text = ReplayText(story, nil, nil)
        var sections = [timeline]
        if let comparison { sections.append(changes(comparison)) }
        if let difference = text.difference {
            sections.insert(
                HTMLPage.Section("What came out otherwise", "", "<pre>\(HTML.escaped(difference))</pre>"), at: 0)
        }
        return HTMLPage(
            title: "A trace of spschedd", lead: ([text.header] + text.damages + [text.verdict]).joined(separator: ". "),
            sections: sections
        ).html
    }

    private var timeline: HTMLPage.Section {
        let start = Format.fixed(Double((window.start ?? .zero).count) / 1e6, 0)
        return HTMLPage.Section(
            "Who had the Secure Processor",
            "\(Format.duration(window.length)) from \(start) ms into the trace on. Filled: a turn. Pale: a wait. The top"
                + " lane is the SP; grey is a hold for a launch's next command.",
            LanePicture(story, window).markup)
    }

    private func changes(_ comparison: Story.Comparison) -> HTMLPage.Section {
        let text = ComparisonText(story, comparison)
        return HTMLPage.Section(
            "With \(comparison.configurationPath)",
            text.sentences.joined(separator: "; ") + ". " + ComparisonText.caveat, text.table.html())
    }
}

/// Lanes of turns and waits.
private struct LanePicture {
    private static let width = 920.0
    private static let left = 170.0
    private static let laneHeight = 18.0
    private static let top = 24.0
    /// More would not be looked at.
    private static let lanesMax = 64

    private let story: Story
    private let from: Instant
    private let length: Nanoseconds

    init(_ story: Story, _ window: ReplayWindow) {
        self.story = story
        from = story.beginning(of: window)
        length = window.length
    }

    var markup: String {
        let vms = Array(lanes.prefix(Self.lanesMax))
        let height = Self.top + Double(vms.count + 1) * Self.laneHeight + 30
        var svg = SVG(width: Self.width, height: height, label: "Turns and waits of each VM")
        drawAxis(&svg, height)
        svg.text("SP", Self.left - 10, Self.top + 12, anchor: .end, "tick")
        for hold in story.history.holds { draw(hold, 0, "shade", &svg) }
        for turn in story.history.turns { draw(turn.interval, 0, style(turn.kind), &svg) }
        for (index, vm) in vms.enumerated() {
            let lane = index + 1
            let y = Self.top + Double(lane) * Self.laneHeight + 12
            svg.text(CallText(names: story.names).text(vm), Self.left - 10, y, anchor: .end, "tick")
            for request in story.history.requests where request.vm == vm {
                let wait = History.Interval(from: request.arrivedAt, to: request.answer?.at)
                draw(wait, lane, "pale \(hue(request.kind).rawValue)", &svg)
            }
            for turn in story.history.turns where turn.vm == vm { draw(turn.interval, lane, style(turn.kind), &svg) }
        }
        return svg.markup
    }

    /// Those that have or want something in the window, by slot.
    private var lanes: [VMID] {
        let asking = story.history.requests.filter { $0.vm != .none && isSeen($0.arrivedAt, $0.answer?.at) }.map(\.vm)
        let served = story.history.turns.filter { $0.vm != .none && isSeen($0.interval.from, $0.interval.to) }
            .map(\.vm)
        return Set(asking + served).sorted { ($0.slot, $0.generation) < ($1.slot, $1.generation) }
    }

    private func isSeen(_ start: Instant, _ end: Instant?) -> Bool {
        start < from + length && (end ?? .distantFuture) > from
    }

    private func hue(_ kind: CommandKind) -> Hue {
        switch kind.commandClass {
        case .launch: .blue
        case .guest: .orange
        case .platform: .purple
        }
    }

    private func style(_ kind: CommandKind) -> String { "bar \(hue(kind).rawValue)" }

    private func x(_ instant: Instant) -> Double {
        let part = Double((instant - from).count) / Double(length.count)
        return Self.left + part * (Self.width - Self.left - 10)
    }

    private func draw(_ interval: History.Interval, _ lane: Int, _ style: String, _ svg: inout SVG) {
        guard isSeen(interval.from, interval.to) else { return }
        let start = x(max(interval.from, from))
        let end = x(min(interval.to ?? from + length, from + length))
        svg.rectangle(
            start, Self.top + Double(lane) * Self.laneHeight + 2, max(end - start, 0.5), Self.laneHeight - 5, style)
    }

    private func drawAxis(_ svg: inout SVG, _ height: Double) {
        for part in 0...10 as ClosedRange<Int64> {
            let time = length * part / 10
            let place = x(from + time)
            svg.line(place, Self.top, place, height - 26, "grid")
            svg.text(Format.duration(time), place, height - 10, anchor: .middle, "tick")
        }
    }
}
