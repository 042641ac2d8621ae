import Arbiter
import ManagerProtocol
import Reporting
import TraceFormat
import TraceReplay

/// A replay for people.
struct ReplayText {
    let story: Story
    let comparison: Story.Comparison?
    let window: ReplayWindow?

    init(_ story: Story, _ comparison: Story.Comparison?, _ window: ReplayWindow?) {
        (self.story, self.comparison, self.window) = (story, comparison, window)
    }

    var text: String {
        var parts = [header] + damages + [verdict]
        if let difference { parts.append(difference) }
        if let comparison { parts.append(ComparisonText(story, comparison).text) }
        if let window { parts.append(timeline(window)) }
        return parts.joined(separator: "\n")
    }

    private var summary: ReplaySummary { story.summary }

    var header: String {
        "\(story.path): spschedd \(story.version), epoch \(story.epoch),"
            + " recorded from \(CalendarText.write(story.firstSegment.beganAtSinceEpoch)) on"
    }

    var verdict: String {
        let over =
            "\(Format.grouped(summary.calls)) calls in \(summary.segments) \(summary.segments == 1 ? "segment" : "segments") over"
            + " \(Format.duration(story.length))"
        guard summary.calls > 0 || summary.difference != nil else {
            return summary.isWhole ? "No call was recorded yet" : "Nothing could be replayed"
        }
        guard summary.difference == nil else { return "\(over) came out as recorded; then came a difference" }
        return "\(over): all \(Format.grouped(summary.decisions)) decisions\(rest) came out as recorded\n\(figures)"
    }

    /// Damage took some of them away.
    private var rest: String { summary.isWhole ? "" : " that were left" }

    private var figures: String {
        let refusals = summary.refusals.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.value) \($0.key.managerName)" }
        return "  \(Format.grouped(summary.grants)) turns granted, \(summary.launches) launches begun,"
            + " \(summary.registrations) VMs registered; refused: "
            + (refusals.isEmpty ? "none" : refusals.joined(separator: ", "))
    }

    var damages: [String] {
        summary.damages.map { "DAMAGE \($0)" }
            + summary.unusableStates.map { "DAMAGE in segment \($0.segment): \($0.problem)" }
            + (summary.callsSkipped == 0
                ? [] : ["\(summary.callsSkipped) calls could not be replayed: no state to begin with"])
    }

    var difference: String? {
        let calls = CallText(names: story.names)
        switch summary.difference {
        case nil: return nil
        case .state(let segment, let word):
            return
                "DIFFERENT: the calls lead to another state than the one segment \(segment) begins with (word \(word))."
                + " The recording was made by another version, or its file was altered"
        case .call(let number, let recorded, let cameOut):
            let since = summary.from.map { recorded.now - $0 } ?? .zero
            return """
                DIFFERENT at record \(number), \(Format.fixed(Double(since.count) / 1e6, 3)) ms into the trace:
                  \(calls.text(recorded.call))
                recorded:
                \(calls.lines(recorded).map { "  \($0)" }.joined(separator: "\n"))
                came out:
                \(calls.lines(cameOut).map { "  \($0)" }.joined(separator: "\n"))
                """
        }
    }

    private func timeline(_ window: ReplayWindow) -> String {
        let start = Format.fixed(Double((window.start ?? .zero).count) / 1e6, 3)
        return "From \(start) ms into the trace on:\n"
            + TextTimeline(
                story.history, names: story.names, from: story.beginning(of: window), column: window.column,
                columns: window.columns
            ).text
    }
}

/// What would have changed, for people.
struct ComparisonText {
    static let caveat =
        "Open-loop: requests came when they came, and turns took what they took. A guest that would now be refused would"
        + " have come back, one that would now be served might not have come again, and one that is served sooner might"
        + " have asked for more: that is not in these figures."

    let story: Story
    let compared: Story.Comparison

    init(_ story: Story, _ compared: Story.Comparison) { (self.story, self.compared) = (story, compared) }

    var text: String {
        var lines = [
            "", "With \(compared.configurationPath):", sentences.joined(separator: "; ").wrapped(at: 100),
            Self.caveat.wrapped(at: 100),
        ]
        if !changed.isEmpty { lines.append(table.text) }
        if changed.count > ReplayLimits.rowsTold {
            lines.append("… and \(changed.count - ReplayLimits.rowsTold) more rows: --json has all")
        }
        return lines.joined(separator: "\n")
    }

    var sentences: [String] {
        let comparison = compared.comparison
        var sentences = [Self.sentence("guest requests", comparison.guests)]
        sentences.append(Self.sentence("launch commands", comparison.launches))
        if compared.results.launchesRefused > 0 {
            sentences.append("\(compared.results.launchesRefused) launches refused")
        }
        if compared.results.notAdmitted > 0 { sentences.append("\(compared.results.notAdmitted) VMs not admitted") }
        if compared.results.newlyAdmitted > 0 {
            sentences.append("\(compared.results.newlyAdmitted) VMs admitted that were not")
        }
        if let recorded = compared.results.chunkPagesRecorded {
            sentences.append(
                "NOT FELT: another chunk_pages than the \(recorded) recorded, since launch commands are those that were"
                    + " asked for")
        }
        if compared.policiesIgnored > 0 {
            let policies = compared.policiesIgnored == 1 ? "1 policy" : "\(compared.policiesIgnored) policies"
            sentences.append(
                "NOT FELT: \(policies), since a trace does not know the users and groups whom they concern")
        }
        return sentences
    }

    private static func sentence(_ what: String, _ sums: WhatIfComparison.Sums) -> String {
        guard !sums.isUnchanged else { return "\(what): unchanged" }
        var parts = ["\(sums.earlier) granted earlier", "\(sums.later) later"]
        if sums.nowRefused > 0 { parts.append("\(sums.nowRefused) refused that were granted") }
        if sums.nowGranted > 0 { parts.append("\(sums.nowGranted) granted that were refused") }
        if sums.notAsked > 0 { parts.append("\(sums.notAsked) not asked") }
        return "\(what): " + parts.joined(separator: ", ")
    }

    private var changed: [WhatIfComparison.Row] { compared.comparison.rows.filter { !$0.sums.isUnchanged } }

    var table: Table {
        var table = Table([
            .left("VM"), .left("ASKS AS"), .right("GRANTED"), .right("THEN"), .right("EARLIER"), .right("LATER"),
            .right("NOW REFUSED"), .right("NOW GRANTED"), .right("MEAN WAIT"), .right("THEN"), .right("LONGEST"),
            .right("THEN"),
        ])
        let calls = CallText(names: story.names)
        for row in changed.prefix(ReplayLimits.rowsTold) {
            let sums = row.sums
            table.append([
                calls.text(row.vm), "\(row.part)", "\(sums.granted)", "\(sums.grantedThen)", "\(sums.earlier)",
                "\(sums.later)", "\(sums.nowRefused)", "\(sums.nowGranted)", Format.duration(sums.meanWait),
                Format.duration(sums.meanWaitThen), Format.duration(sums.longest), Format.duration(sums.longestThen),
            ])
        }
        return table
    }
}

/// The calendar's time as ISO 8601 has it, in UTC.
enum CalendarText {
    static func write(_ sinceEpoch: Int64) -> String {
        let seconds = sinceEpoch / 1_000_000_000
        let (days, second) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = civil(days)
        func two(_ value: Int64) -> String { "\(value)".paddedLeft(to: 2).replacing(" ", with: "0") }
        return "\(year)-\(two(month))-\(two(day))T\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }

    /// Days since 1970 as a date (H. Hinnant, "chrono-compatible low-level date algorithms").
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
