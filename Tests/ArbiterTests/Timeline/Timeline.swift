import Testing

@testable import Arbiter

/// Plays a scheduler test that is written as text, and compares what happened with the lanes expected.
///
/// ```
/// column 1ms                       how much time one character is
/// A: pages 64, turn 5              who is there: VM A will launch 64 pages, and holds each turn for 5 columns
/// b: turn 7
/// asks
/// ms 0....5....10...15...20        (a ruler: lanes named `ms` or `s` are for the reader only)
/// A  s.......u                     A asks for LAUNCH_START in column 0, for LAUNCH_UPDATE in column 8
/// b  ..r                           b asks for a report in column 2
/// expect
/// SP AAAAA---AAAAA-----bbbbbbb     who has the SP; `-` is a hold, `.` an idle SP
/// b  ..~~~~~~~~~~~~~~~~~======     what b sees: `~` waits, `=` has its turn
/// b: …                             the reasons of its BUSYs and errors, in order
/// ```
///
/// Only the lanes named after `expect` are compared. The time runs for as many columns as the longest lane has.
///
/// **Properties** (after `X:`): `turn N` columns; `then sUu…` what is asked after each turn, with its release or `gap
/// N` columns later, a last `*` for ever; `units N` of a command; `patience N` columns as longest wait; `pages N`,
/// `vcpus N`, `whole`, `proxy` of a launch; `reserve R`, `limit R`, `weight N`, `burst N`, `once`, `never`, `wait N`
/// columns (`guest_wait_max`) of the registration. VMs reserve nothing unless they say so. Rates are `2/s` or `1/40s`.
/// The lanes of `platform`, `device` and `operator` stand for these instead of a VM.
///
/// **Marks** of a VM: `r` report, `k` derived key; `s` start, `u` update, `f` finish, `w` whole launch, `l` legacy
/// launch; upper case: the same in one message with the release of the turn; `(` begins a session (so does a launch
/// command without one), `)` ends it; `-` releases, `t` releases and reports trouble of the device; `x` cancels; `!`
/// the connection hangs up; `q` unregisters. Of `platform`: `p` command, `t` status, `-` release, `x` cancel. Of
/// `device`: the probe `+` returned, `x` found it dead, `?` could not be made; `v` the node vanished, `^` came. Of
/// `operator`: `d` drain, `r` resume.
///
/// **Results** of a VM: `~` waits, `=` has its turn, `B` BUSY, `E` error, `F` the waiting request failed, `R` its turn
/// was revoked, `K` its session was ended. Of `device`: `p` a probe is asked for; `a`, `s`, `d`, `n`: it is found
/// alive, stuck, dead, absent. `SP` shows the turn, `2` the guest turn beside a whole launch.
struct Timeline {
    var column = Nanoseconds.milliseconds(1)
    var lanes: [Lane] = []
    /// By name, in the order of the text: lanes, and lists of reasons.
    var expectedLanes: [(name: String, marks: String)] = []
    var expectedReasons: [(name: String, reasons: [String])] = []

    init(_ text: String) throws {
        var part = 0
        for line in text.split(separator: "\n") {
            switch (line, part) {
            case ("asks", _): part = 1
            case ("expect", _): part = 2
            case (_, 0) where line.hasPrefix("column "): column = try Self.duration(line.dropFirst("column ".count))
            case (_, 0): lanes.append(try Lane(line, column: column))
            case (_, 1): try readMarks(line)
            default: try readExpectation(line)
            }
        }
    }

    private static func duration(_ text: Substring) throws -> Nanoseconds {
        let digits = text.prefix { $0.isNumber }
        guard let count = Int64(digits) else { throw TimelineError("`\(text)` is no duration") }
        switch text.dropFirst(digits.count) {
        case "us": return .microseconds(count)
        case "ms": return .milliseconds(count)
        case "s": return .seconds(count)
        default: throw TimelineError("`\(text)` is no duration")
        }
    }

    private mutating func readMarks(_ line: Substring) throws {
        let (name, marks) = try Self.halves(line)
        if Self.isRuler(name) { return }
        guard let index = lanes.firstIndex(where: { String($0.name) == name }) else {
            throw TimelineError("nobody introduced `\(name)`")
        }
        guard lanes[index].marks.isEmpty else { throw TimelineError("`\(name)` asks in two lines") }
        lanes[index].marks = Array(marks)
    }

    private mutating func readExpectation(_ line: Substring) throws {
        let (name, rest) = try Self.halves(line)
        if name.hasSuffix(":") {
            expectedReasons.append(
                (String(name.dropLast()), rest.split(separator: ",").map { String($0.drop { $0 == " " }) }))
        } else if !Self.isRuler(name) {
            expectedLanes.append((name, Self.trimmed(rest)))
        }
    }

    private static func isRuler(_ name: String) -> Bool { name == "ms" || name == "s" }

    private static func halves(_ line: Substring) throws -> (String, String) {
        let name = line.prefix { $0 != " " }
        let rest = line.dropFirst(name.count).drop { $0 == " " }
        return (String(name), String(rest))
    }

    static func trimmed(_ lane: String) -> String {
        var lane = lane[...]
        while let last = lane.last, last == "." || last == " " { lane.removeLast() }
        return String(lane)
    }

    var columns: Int {
        max(lanes.map(\.marks.count).max() ?? 0, expectedLanes.map(\.marks.count).max() ?? 0)
    }
}

/// Plays `text` on a host with this configuration; see `Timeline`. Records one issue that shows both sides.
@discardableResult
func play(
    _ text: String, _ configuration: Configuration = Configuration(), location: SourceLocation = #_sourceLocation
) throws -> Host {
    let timeline = try Timeline(text)
    let player = try Player(timeline, Host(configuration, virtualMachines: 16))
    player.play()
    if let difference = player.difference { Issue.record("\(difference)", sourceLocation: location) }
    return player.host
}
