import Arbiter
import ManagerProtocol
import Reporting
import TraceFormat
import TraceReplay

/// A replay for programs. Times are nanoseconds; `at` is on the host's boot clock.
struct ReplayJSON {
    let story: Story
    let comparison: Story.Comparison?
    let window: ReplayWindow?

    init(_ story: Story, _ comparison: Story.Comparison?, _ window: ReplayWindow?) {
        (self.story, self.comparison, self.window) = (story, comparison, window)
    }

    var text: String {
        var members: [(key: String, value: JSON)] = [
            ("file", .text(story.path)), ("version", .text(story.version)),
            ("epoch", .text(story.epoch)), ("segments", integer(summary.segments)),
            ("calls", integer(summary.calls)), ("calls_skipped", integer(summary.callsSkipped)),
            ("decisions", integer(summary.decisions)), ("grants", integer(summary.grants)),
            ("launches", integer(summary.launches)), ("registrations", integer(summary.registrations)),
            ("from_ns", .optional(summary.from) { .integer($0.sinceBoot.count) }),
            ("to_ns", .optional(summary.to) { .integer($0.sinceBoot.count) }), ("refusals", refusals),
            ("damage", .list(ReplayText(story, nil, nil).damages.map { .text($0) })), ("difference", difference),
        ]
        if let comparison { members.append(("with", json(comparison))) }
        if let window { members.append(("timeline", timeline(window))) }
        return JSON.object(members).text
    }

    private var summary: ReplaySummary { story.summary }

    private func integer(_ value: Int) -> JSON { .integer(Int64(value)) }

    private var refusals: JSON {
        .object(
            summary.refusals.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { (key: $0.key.managerName, value: integer($0.value)) })
    }

    private var difference: JSON {
        let calls = CallText(names: story.names)
        switch summary.difference {
        case nil: return .null
        case .state(let segment, let word):
            return .object([("segment", .integer(Int64(segment))), ("state_word", integer(word))])
        case .call(let number, let recorded, let cameOut):
            return .object([
                ("record", .integer(Int64(number))), ("at_ns", .integer(recorded.now.sinceBoot.count)),
                ("call", .text(calls.text(recorded.call))),
                ("recorded", .list(calls.lines(recorded).map { .text($0) })),
                ("came_out", .list(calls.lines(cameOut).map { .text($0) })),
            ])
        }
    }

    // MARK: What would have changed

    private func json(_ compared: Story.Comparison) -> JSON {
        .object([
            ("configuration", .text(compared.configurationPath)), ("note", .text(ComparisonText.caveat)),
            ("noticeable_ns", .integer(WhatIfComparison.noticeable.count)),
            ("launches", integer(compared.results.launches)),
            ("launches_refused", integer(compared.results.launchesRefused)),
            ("vms_not_admitted", integer(compared.results.notAdmitted)),
            ("vms_newly_admitted", integer(compared.results.newlyAdmitted)),
            ("not_felt", .list(compared.notFelt.map { .text($0) })),
            ("guest_requests", json(compared.comparison.guests)),
            ("launch_commands", json(compared.comparison.launches)),
            ("vms", .list(compared.comparison.rows.map(json))),
        ])
    }

    private func json(_ row: WhatIfComparison.Row) -> JSON {
        .object([
            ("vm", .text(CallText(names: story.names).text(row.vm))), ("class", .text("\(row.part)")),
            ("sums", json(row.sums)),
        ])
    }

    private func json(_ sums: WhatIfComparison.Sums) -> JSON {
        .object([
            ("requests", integer(sums.requests)), ("granted", integer(sums.granted)),
            ("granted_then", integer(sums.grantedThen)), ("earlier", integer(sums.earlier)),
            ("later", integer(sums.later)), ("now_refused", integer(sums.nowRefused)),
            ("now_granted", integer(sums.nowGranted)), ("not_asked", integer(sums.notAsked)),
            ("waited_ns", .integer(sums.waited.count)), ("waited_then_ns", .integer(sums.waitedThen.count)),
            ("longest_ns", .integer(sums.longest.count)), ("longest_then_ns", .integer(sums.longestThen.count)),
        ])
    }

    // MARK: The timeline

    private func timeline(_ window: ReplayWindow) -> JSON {
        let from = story.beginning(of: window)
        let to = from + window.length
        let turns = story.history.turns.filter {
            $0.interval.from < to && ($0.interval.to ?? .distantFuture) > from
        }
        return .object([
            ("from_ns", .integer(from.sinceBoot.count)), ("to_ns", .integer(to.sinceBoot.count)),
            (
                "turns",
                .list(
                    turns.map { turn in
                        .object([
                            ("turn", .integer(Int64(turn.id.number))),
                            ("vm", .text(CallText(names: story.names).text(turn.vm))),
                            ("kind", .text(turn.kind.managerName)), ("units", .integer(Int64(turn.units))),
                            ("from_ns", .integer(turn.interval.from.sinceBoot.count)),
                            ("to_ns", .optional(turn.interval.to) { .integer($0.sinceBoot.count) }),
                        ])
                    })
            ),
        ])
    }
}
