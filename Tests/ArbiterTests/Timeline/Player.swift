@testable import Arbiter

/// Brings a timeline to life: each lane's marks become calls at their time, each turn is returned after its duration,
/// and what happens is written down as lanes again.
final class Player {
    let host: Host
    private let timeline: Timeline
    private var actors: [Actor] = []
    private var resources: [String: [Character]] = ["SP": [], "2": []]

    /// What a lane is doing.
    private struct Actor {
        var lane: Lane
        var vm = VMID.none
        var waiting: RequestID?
        var turn: TurnID?
        var session: SessionID?
        var got: [Character] = []
        /// What happened in a column; shown instead of the state, the later over the earlier.
        var events: [Int: Character] = [:]
        var reasons: [String] = []
    }

    init(_ timeline: Timeline, _ host: Host) throws {
        self.timeline = timeline
        self.host = host
        for lane in timeline.lanes {
            var actor = Actor(lane: lane)
            if lane.role == .vm { actor.vm = try host.register(lane.registration) }
            actors.append(actor)
        }
    }

    func play() {
        for index in actors.indices {
            let vm = actors[index].vm
            if vm != .none { host.deliver(to: vm) { [self] decision, _ in receive(decision, index) } }
            for (column, mark) in actors[index].lane.marks.enumerated() where mark != "." && mark != " " {
                host.at(time(column)) { [self] _ in act(mark, index) }
            }
        }
        for column in 0..<timeline.columns {
            host.at(time(column), .look) { [self] _ in look() }
        }
        host.run(until: time(timeline.columns) - Nanoseconds(1))
        readLog()
    }

    private func time(_ column: Int) -> Instant { Host.start + timeline.column * Int64(column) }
    private func column(_ time: Instant) -> Int { Int((time - Host.start).count / timeline.column.count) }

    // MARK: What lanes ask

    private func act(_ mark: Character, _ index: Int) {
        do {
            switch actors[index].lane.role {
            case .vm: try actAsVM(mark, index)
            case .platform: try actAsPlatform(mark, index)
            case .device: try actAsDevice(mark)
            case .operation: try actAsOperator(mark)
            }
        } catch LaunchRefusal.busy(let busy) {
            note("B", "\(busy.reason)", index)
        } catch LaunchRefusal.error(let error) {
            note("E", "\(error)", index)
        } catch {
            note("E", "\(error)", index)
        }
    }

    private func actAsVM(_ mark: Character, _ index: Int) throws {
        let vm = actors[index].vm
        switch mark {
        case "(": try begin(index)
        case ")":
            let session = actors[index].session
            actors[index].session = nil
            try host.end(session ?? SessionID(number: 0), of: vm)
        case "-", "t": try release(index, trouble: mark == "t")
        case "x":
            guard let request = actors[index].waiting else { throw TimelineError("nothing to cancel") }
            host.step { arbiter, now, out in arbiter.cancel(request, of: vm, now: now, into: &out) }
        case "!":
            actors[index].waiting = nil
            actors[index].turn = nil
            host.step { arbiter, now, out in
                arbiter.hangUp(origin: UInt64(vm.slot), of: vm, now: now, into: &out)
            }
        case "q": host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) }
        default: try acquire(mark, index)
        }
    }

    private func begin(_ index: Int) throws {
        guard let plan = actors[index].lane.plan else { throw TimelineError("a launch needs pages") }
        actors[index].session = try host.begin(plan, of: actors[index].vm)
    }

    private func acquire(_ mark: Character, _ index: Int) throws {
        let lane = actors[index].lane
        let kind = try Self.kind(mark)
        if kind.commandClass == .launch, actors[index].session == nil, lane.plan != nil { try begin(index) }
        let units = lane.units ?? (kind == .wholeLaunch ? lane.plan?.pages : nil) ?? 1
        let request = host.newRequest(UInt64(actors[index].vm.slot))
        let isFirst = actors[index].waiting == nil
        if isFirst { actors[index].waiting = request }
        let held = mark.isUppercase ? actors[index].turn : nil
        if held != nil { actors[index].turn = nil }
        do {
            try send(kind, kind == .launchStart || kind.commandClass == .guest ? 1 : units, request, held, index)
        } catch {
            if isFirst { actors[index].waiting = nil }
            throw error
        }
    }

    private func send(_ kind: CommandKind, _ units: UInt32, _ request: RequestID, _ held: TurnID?, _ index: Int) throws
    {
        let vm = actors[index].vm
        let maxWait = actors[index].lane.patience.map { timeline.column * $0 }
        try host.step { (arbiter, now, out) throws(RequestError) in
            guard let held else {
                return try arbiter.acquire(
                    kind, units: units, maxWait: maxWait, request: request, of: vm, now: now, into: &out)
            }
            try arbiter.releaseAndAcquire(
                held, TurnOutcome(unitsDone: units), kind, units: units, maxWait: maxWait, request: request, of: vm,
                now: now, into: &out)
        }
    }

    private static func kind(_ mark: Character) throws -> CommandKind {
        switch mark.lowercased() {
        case "r": .report
        case "k": .derivedKey
        case "s": .launchStart
        case "u": .launchUpdate
        case "f": .launchFinish
        case "w": .wholeLaunch
        case "l": .legacyLaunch
        default: throw TimelineError("`\(mark)` is no mark of a VM")
        }
    }

    private func release(_ index: Int, trouble: Bool = false) throws {
        guard let turn = actors[index].turn else { throw RequestError.unknownTurn }
        actors[index].turn = nil
        guard actors[index].lane.role == .vm else {
            return try host.step { (arbiter, now, out) throws(RequestError) in
                try arbiter.releasePlatform(turn, now: now, into: &out)
            }
        }
        try host.release(turn, of: actors[index].vm, units: actors[index].lane.units ?? 1, trouble: trouble)
    }

    private func actAsPlatform(_ mark: Character, _ index: Int) throws {
        switch mark {
        case "-": try release(index)
        case "x":
            guard let request = actors[index].waiting else { throw TimelineError("nothing to cancel") }
            host.step { arbiter, now, out in arbiter.cancelPlatform(request, now: now, into: &out) }
        default:
            host.deliver(to: .none) { [self] decision, _ in receive(decision, index) }
            let request = host.newRequest(.max)
            if actors[index].waiting == nil { actors[index].waiting = request }
            try host.step { (arbiter, now, out) throws(RequestError) in
                try arbiter.acquirePlatform(
                    mark == "t" ? .platformStatus : .platformCommand, request: request, now: now, into: &out)
            }
        }
    }

    private func actAsDevice(_ mark: Character) throws {
        guard "+x?v^".contains(mark) else { throw TimelineError("`\(mark)` is no mark of a device") }
        host.step { arbiter, now, out in
            switch mark {
            case "+": arbiter.probeReturned(.returned, now: now, into: &out)
            case "x": arbiter.probeReturned(.dead, now: now, into: &out)
            case "?": arbiter.probeReturned(.unavailable, now: now, into: &out)
            default: arbiter.devicePresence(isPresent: mark == "^", now: now, into: &out)
            }
        }
    }

    private func actAsOperator(_ mark: Character) throws {
        guard "dr".contains(mark) else { throw TimelineError("`\(mark)` is no mark of an operator") }
        host.step { arbiter, now, out in
            if mark == "d" { arbiter.drain(now: now, into: &out) } else { arbiter.resume(now: now, into: &out) }
        }
    }

    // MARK: What lanes get

    private func receive(_ decision: Decision, _ index: Int) {
        switch decision {
        case .granted(let request, _, let grant):
            answered(request, index)
            actors[index].turn = grant.turn
            guard let columns = actors[index].lane.turn else { return }
            host.after(timeline.column * columns, .release) { [self] _ in
                if actors[index].turn == grant.turn { goOn(index) }
            }
        case .busy(let request, _, let busy):
            answered(request, index)
            note("B", "\(busy.reason)", index)
        case .failed(let request, _, let error):
            answered(request, index)
            note("F", "\(error)", index)
        case .revoked:
            actors[index].turn = nil
            note("R", "revoked", index)
        case .sessionEnded(_, _, let reason):
            actors[index].session = nil
            note("K", "\(reason)", index)
        case .queued, .probe, .deviceState: break
        }
    }

    /// The turn has lasted as long as it should.
    private func goOn(_ index: Int) {
        guard let mark = actors[index].lane.next() else { return act("-", index) }
        if mark == ")" {
            act("-", index)
            return act(mark, index)
        }
        guard let gap = actors[index].lane.gap else { return act(Character(mark.uppercased()), index) }
        act("-", index)
        host.after(timeline.column * gap) { [self] _ in act(mark, index) }
    }

    private func answered(_ request: RequestID, _ index: Int) {
        if actors[index].waiting == request { actors[index].waiting = nil }
    }

    private func note(_ event: Character, _ reason: String, _ index: Int) {
        actors[index].events[column(host.now)] = event
        actors[index].reasons.append(reason)
    }

    // MARK: What is seen

    private func look() {
        for index in actors.indices where actors[index].lane.role != .device {
            actors[index].got.append(actors[index].turn != nil ? "=" : actors[index].waiting != nil ? "~" : ".")
        }
        resources["SP"]?.append(seenOnSP())
        resources["2"]?.append(host.arbiter.turnBeside.map { name(of: $0.vm) } ?? ".")
    }

    private func seenOnSP() -> Character {
        if let turn = host.arbiter.turn { return name(of: turn.vm) }
        return host.arbiter.heldFor == nil ? "." : "-"
    }

    private func name(of vm: VMID) -> Character {
        actors.first { $0.vm == vm && $0.lane.role == (vm == .none ? .platform : .vm) }?.lane.name ?? "?"
    }

    /// Probes and states of the device concern no VM: they are read from the log.
    private func readLog() {
        guard let device = actors.firstIndex(where: { $0.lane.role == .device }) else { return }
        actors[device].got = Array(repeating: ".", count: timeline.columns)
        for entry in host.log {
            switch entry.decision {
            case .probe: actors[device].events[column(entry.at)] = "p"
            case .deviceState(let state):
                actors[device].events[column(entry.at)] =
                    switch state {
                    case .alive: "a"
                    case .stuck: "s"
                    case .dead: "d"
                    case .absent: "n"
                    }
            default: break
            }
        }
    }

    // MARK: The comparison

    private func lane(_ name: String) -> String {
        if let resource = resources[name] { return Timeline.trimmed(String(resource)) }
        guard let actor = actors.first(where: { String($0.lane.name) == name }) else { return "(nobody)" }
        var got = actor.got
        for (column, event) in actor.events where column < got.count { got[column] = event }
        return Timeline.trimmed(String(got))
    }

    private func reasons(_ name: String) -> [String] {
        actors.first { String($0.lane.name) == name }?.reasons ?? []
    }

    /// What is not as expected, one lane below the other; `nil` if all is.
    var difference: String? {
        var lines: [String] = []
        for (name, expected) in timeline.expectedLanes where lane(name) != expected {
            lines += ["\(name) expected  \(expected)", "\(name) got       \(lane(name))"]
        }
        for (name, expected) in timeline.expectedReasons where reasons(name) != expected {
            lines += ["\(name): expected \(expected.joined(separator: ", "))"]
            lines += ["\(name): got      \(reasons(name).joined(separator: ", "))"]
        }
        guard !lines.isEmpty else { return nil }
        let asked = timeline.lanes.filter { !$0.marks.isEmpty }.map { "\($0.name) asks      \(String($0.marks))" }
        return (["", "one column is \(timeline.column.count / 1_000) µs"] + asked + lines).joined(separator: "\n")
    }
}
