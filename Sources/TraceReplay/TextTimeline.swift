import Arbiter
import TraceFormat

/// Part of a history as lanes of text, in the notation of this project's tests:
///
/// ```
/// SP AAAAA---AAAAA-----bbbbbbb     who has the SP; `-` is a hold, `.` an idle SP
/// A  ~~======~~=====               what A sees: `~` waits, `=` has its turn
/// b  ..~~~~~~~~~~~~~~~~~======
/// b: launchAhead +12 ms            its BUSYs and errors, in order
/// ```
///
/// VMs that launch have capital letters, others small ones, `*` is a platform command, and `+` a VM that has no lane. A
/// column shows what takes most of it; a turn or a wait that is shorter is shown all the same.
public struct TextTimeline {
    /// Letters there are for VMs of each kind.
    private static let lanesMax = 26
    /// Refusals that are told of one VM; more are counted.
    private static let refusalsTold = 6

    public let text: String

    /// - Parameter columns: of `column` each, from `from` on.
    public init(
        _ history: History, names: [VMID: String], from: Instant, column: Nanoseconds, columns: Int
    ) {
        let canvas = Canvas(from: from, column: column, columns: columns)
        let cast = Cast(history, canvas)
        var lines = canvas.ruler
        lines.append("SP \(canvas.processor(history, cast))")
        for vm in cast.vms { lines.append("\(cast.letter(vm))  \(canvas.lane(of: vm, history))") }
        for vm in cast.vms {
            let name = names[vm].map { $0.isEmpty ? "" : " \"\($0)\"" } ?? ""
            lines.append("\(cast.letter(vm)) is VM \(vm.slot).\(vm.generation)\(name)")
        }
        for vm in cast.vms {
            let told = Self.refusals(of: vm, history, canvas)
            if !told.isEmpty { lines.append("\(cast.letter(vm)): \(told)") }
        }
        if cast.withoutLane > 0 { lines.append("+ is one of \(cast.withoutLane) VMs for which there is no lane") }
        text = lines.map(\.trimmed).joined(separator: "\n")
    }

    private static func refusals(of vm: VMID, _ history: History, _ canvas: Canvas) -> String {
        let all = history.requests.compactMap { request -> String? in
            guard request.vm == vm, let answer = request.answer, canvas.contains(answer.at) else { return nil }
            switch answer {
            case .busy(let at, let reason): return "\(reason) +\(milliseconds(at - canvas.from))"
            case .failed(let at, let error): return "\(error) +\(milliseconds(at - canvas.from))"
            case .granted, .vanished: return nil
            }
        }
        let more = all.count > refusalsTold ? ["… \(all.count - refusalsTold) more"] : []
        return (all.prefix(refusalsTold) + more).joined(separator: ", ")
    }

    private static func milliseconds(_ time: Nanoseconds) -> String {
        "\(time.count / 1_000_000).\(time.count / 100_000 % 10) ms"
    }
}

/// Who plays: which VM has which letter.
private struct Cast {
    private(set) var vms: [VMID] = []
    private var letters: [VMID: Character] = [:]
    private(set) var withoutLane = 0

    init(_ history: History, _ canvas: Canvas) {
        let present = history.requests.filter { $0.vm != .none && canvas.touches($0.arrivedAt, $0.endsAt(history)) }
        let turns = history.turns.filter { $0.vm != .none && canvas.touches($0.interval.from, $0.interval.to) }
        let launching = Set(
            present.filter { $0.kind.commandClass == .launch }.map(\.vm)
                + turns.filter { $0.kind.commandClass == .launch }.map(\.vm))
        let all = Set(present.map(\.vm) + turns.map(\.vm)).sorted {
            ($0.slot, $0.generation) < ($1.slot, $1.generation)
        }
        assign(all.filter(launching.contains), Unicode.Scalar("A"))
        assign(all.filter { !launching.contains($0) }, Unicode.Scalar("a"))
        withoutLane = all.count - vms.count
    }

    private mutating func assign(_ some: [VMID], _ first: Unicode.Scalar) {
        for (index, vm) in some.prefix(26).enumerated() {
            letters[vm] = Unicode.Scalar(first.value + UInt32(index)).map { Character($0) }
            vms.append(vm)
        }
    }

    func letter(_ vm: VMID) -> Character { vm == .none ? "*" : letters[vm] ?? "+" }
}

extension History.Request {
    /// When it no longer waited; `nil`: it waits still.
    fileprivate func endsAt(_ history: History) -> Instant? { answer?.at }
}

/// The columns.
private struct Canvas {
    let from: Instant
    let column: Nanoseconds
    let columns: Int

    var to: Instant { from + column * Int64(columns) }

    func contains(_ instant: Instant) -> Bool { instant >= from && instant < to }
    func touches(_ start: Instant, _ end: Instant?) -> Bool {
        start < to && (start >= from || (end ?? .distantFuture) > from)
    }

    /// The columns that an interval touches: at least one.
    private func range(_ start: Instant, _ end: Instant?) -> Range<Int>? {
        guard touches(start, end) else { return nil }
        let first = Int(max((start - from).count, 0) / column.count)
        let last = Int((min((end ?? to), to) - from).count - 1) / Int(column.count)
        return first..<max(min(last + 1, columns), first + 1)
    }

    /// A mark every ten columns, with the time since the first.
    var ruler: [String] {
        let (unit, name): (Int64, String) =
            column.count % 1_000_000 == 0 ? (1_000_000, "ms") : column.count % 1_000 == 0 ? (1_000, "us") : (1, "ns")
        var marks = ""
        while marks.count < columns {
            let label = "\(Int64(marks.count) * column.count / unit)"
            let place = label + String(repeating: ".", count: max(1, 10 - label.count))
            marks += place.count == 10 ? place : label + String(repeating: ".", count: (20 - label.count) % 10)
        }
        return ["\(name) \(marks.prefix(columns))"]
    }

    func processor(_ history: History, _ cast: Cast) -> String {
        var shares = [[Character: Int64]](repeating: [:], count: columns)
        func mark(_ interval: History.Interval, _ letter: Character) {
            guard let range = range(interval.from, interval.to) else { return }
            for index in range where index < columns {
                let start = max(interval.from, from + column * Int64(index))
                let end = min(interval.to ?? to, from + column * Int64(index + 1))
                shares[index][letter, default: 0] += max((end - start).count, 1)
            }
        }
        for hold in history.holds { mark(hold, "-") }
        for turn in history.turns { mark(turn.interval, cast.letter(turn.vm)) }
        return String(
            shares.map { share -> Character in
                let turns = share.filter { $0.key != "-" }
                return (turns.isEmpty ? share : turns).max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? "."
            })
    }

    func lane(of vm: VMID, _ history: History) -> String {
        var lane = [Character](repeating: ".", count: columns)
        for request in history.requests where request.vm == vm {
            for index in range(request.arrivedAt, request.answer?.at) ?? 0..<0 where index < columns {
                lane[index] = "~"
            }
        }
        for turn in history.turns where turn.vm == vm {
            for index in range(turn.interval.from, turn.interval.to) ?? 0..<0 where index < columns {
                lane[index] = "="
            }
        }
        return String(lane)
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var rest = self[...]
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
