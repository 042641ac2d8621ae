import Arbiter

/// A world in the notation of the Arbiter's own tests (`Tests/ArbiterTests/Timeline/Timeline.swift` explains it): who
/// asks when, and what each VM sees, as lanes of text. To be pasted into a test, where it says what goes wrong.
///
/// Where times do not fall on columns, or the notation has no word for something, the text says that it is a sketch.
public struct TimelineText {
    /// Wider than this nobody reads.
    private static let columnsMax: Int64 = 400
    private static let start = Instant(sinceBoot: .seconds(1_000))

    private let scenario: Scenario
    private let notes: [TimelineNote]
    private let violation: Violation?
    private let column: Nanoseconds
    private let columns: Int64
    /// What keeps it from being exact.
    private var caveats: [String] = []

    public init(of scenario: Scenario) {
        self.scenario = scenario
        var world = World(scenario, recordsTimeline: true)
        var broken: Violation?
        do throws(Violation) { try world.run() } catch { broken = error }
        violation = broken
        notes = world.timeline
        let exact = notes.reduce(Int64(0)) { Self.commonDivisor($0, ($1.at - Self.start).count) }
        let last = notes.reduce(Int64(1)) { max($0, ($1.at - Self.start).count) }
        let isReadable = exact > 0 && exact % 1_000 == 0 && last / exact < Self.columnsMax
        column = isReadable ? Nanoseconds(exact) : .microseconds(last / 100_000 + 1)
        columns = last / column.count + 1
        if !isReadable { caveats.append("times are rounded to columns") }
        findCaveats()
    }

    public var isExact: Bool { caveats.isEmpty }

    public var text: String {
        var lines: [String] = []
        if !isExact { lines.append("a sketch: \(caveats.joined(separator: "; "))") }
        let floor = scenario.configuration.floorShare.perMille
        lines.append("floor \(floor) per mille, delay \(Self.written(scenario.configuration.floorDelay))")
        return (lines + [timeline]).joined(separator: "\n") + (violation.map { "\n\($0)" } ?? "")
    }

    /// The lanes alone, as `play` takes them.
    public var timeline: String {
        let shown = scenario.tenants.indices.filter { tenant in notes.contains { $0.tenant == tenant } }
        var lines = ["column \(Self.written(column))"]
        lines += shown.map(introduction)
        lines.append("asks")
        lines += shown.map { "\(name($0))  \(marks($0))" }
        lines.append("expect")
        lines += shown.map { "\(name($0))  \(seen($0))" }
        return lines.joined(separator: "\n")
    }

    // MARK: Lanes

    private func name(_ tenant: Int) -> Character {
        let first: Unicode.Scalar = scenario.tenants[tenant].launch == nil ? "a" : "A"
        return Character(Unicode.Scalar(UInt8(first.value) + UInt8(tenant % 26)))
    }

    private func introduction(_ tenant: Int) -> String {
        let plan = scenario.tenants[tenant]
        var words: [String] = []
        if let launch = plan.launch {
            words.append("pages \(launch.declaredPages)")
            if launch.isWhole { words.append("whole") }
            if launch.isProxy { words.append("proxy") }
            if !launch.isWhole { words.append("units \(min(launch.pagesAtOnce, launch.truePages))") }
        } else {
            words.append("guest")
        }
        let registration = plan.registration
        if registration.reservationWanted > .zero { words.append("reserve \(rate(registration.reservationWanted))") }
        if let limit = registration.limit { words.append("limit \(rate(limit))") }
        if registration.weight != Weight(100) { words.append("weight \(registration.weight.value)") }
        if registration.burst != 3 { words.append("burst \(registration.burst)") }
        if registration.retryPolicy != .linux { words.append("\(registration.retryPolicy)") }
        if let wait = registration.guestWaitMax { words.append("wait \(wait.count / column.count)") }
        return "\(name(tenant)): \(words.joined(separator: ", "))"
    }

    private func rate(_ rate: Rate) -> String {
        rate.millihertz % 1_000 == 0 ? "\(rate.millihertz / 1_000)/s" : "1/\(1_000 / max(rate.millihertz, 1))s"
    }

    private func marks(_ tenant: Int) -> String {
        var lane = Array(repeating: Character("."), count: Int(columns))
        for note in notes where note.tenant == tenant && note.kind == .does { lane[place(note)] = note.mark }
        return Self.trimmed(lane)
    }

    /// What the VM sees in each column: `~` waits, `=` has its turn, and what it was told.
    private func seen(_ tenant: Int) -> String {
        var lane = Array(repeating: Character("."), count: Int(columns))
        var state = Character(".")
        var next = 0
        let own = notes.filter { $0.tenant == tenant }
        for index in lane.indices {
            var told: Character?
            while next < own.count, place(own[next]) <= index {
                state = own[next].state ?? state
                if own[next].kind == .isTold { told = own[next].mark }
                next += 1
            }
            lane[index] = told ?? state
        }
        return Self.trimmed(lane)
    }

    private func place(_ note: TimelineNote) -> Int { Int((note.at - Self.start).count / column.count) }

    private static func trimmed(_ lane: [Character]) -> String {
        var lane = lane
        while lane.last == "." { lane.removeLast() }
        return String(lane)
    }

    // MARK: What the notation cannot say

    private mutating func findCaveats() {
        var places: Set<Int> = []
        // A launch command begins the session by itself.
        for note in notes where note.kind == .does && note.mark != "(" {
            guard !places.insert(place(note) * 1_000 + (note.tenant ?? 999)).inserted else { continue }
            caveats.append("a lane does two things in one column")
            break
        }
        if notes.contains(where: { $0.tenant == nil }) { caveats.append("the operator's doings are left out") }
        if scenario.tenants.count > 26 { caveats.append("names repeat") }
        if scenario.tenants.contains(where: { !Self.hasEqualUnits($0.launch) }) {
            caveats.append("the last turn of a launch has other units")
        }
        if !hasPlainConfiguration { caveats.append("the configuration differs in more than the floor") }
    }

    private static func hasEqualUnits(_ launch: LaunchClient?) -> Bool {
        guard let launch, !launch.isWhole else { return true }
        return launch.virtualCPUs == launch.pagesAtOnce && launch.truePages % launch.pagesAtOnce == 0
    }

    private var hasPlainConfiguration: Bool {
        var plain = Configuration()
        plain.floorShare = scenario.configuration.floorShare
        plain.floorDelay = scenario.configuration.floorDelay
        return plain == scenario.configuration
    }

    private static func commonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
        right == 0 ? left : commonDivisor(right, left % right)
    }

    private static func written(_ time: Nanoseconds) -> String {
        if time.count % 1_000_000 == 0 { return "\(time.count / 1_000_000)ms" }
        return "\(time.count / 1_000)us"
    }
}

/// One thing that a VM did, or was told.
struct TimelineNote {
    enum Kind {
        case does
        case isTold
        case isGranted
    }

    let at: Instant
    let tenant: Int?
    let kind: Kind
    let mark: Character

    /// What its VM is in afterwards; `nil` if that does not change.
    var state: Character? {
        switch kind {
        case .isGranted: "="
        case .isTold: "."
        case .does: "()".contains(mark) ? nil : "-!q".contains(mark) ? "." : "~"
        }
    }
}

extension World {
    mutating func note(_ tenant: Int?, _ mark: Character, _ kind: TimelineNote.Kind = .does) {
        guard recordsTimeline else { return }
        timeline.append(TimelineNote(at: now, tenant: tenant, kind: kind, mark: mark))
    }

    mutating func noteAsks(_ tenant: Int?, _ kind: CommandKind, withRelease: Bool = false) {
        let mark: Character =
            switch kind {
            case .report, .otherGuestRequest: "r"
            case .derivedKey: "k"
            case .launchStart: "s"
            case .launchUpdate: "u"
            case .launchFinish: "f"
            case .wholeLaunch: "w"
            case .legacyLaunch: "l"
            case .platformStatus: "t"
            case .platformCommand: "p"
            }
        note(tenant, withRelease ? Character(mark.uppercased()) : mark)
    }
}
