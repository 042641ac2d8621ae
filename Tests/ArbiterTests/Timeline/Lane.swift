@testable import Arbiter

/// One lane of a timeline: who it is, as the line that introduces it says, and what it does in each column.
struct Lane {
    enum Role { case vm, platform, device, operation }

    let name: Character
    var role = Role.vm
    var registration = Registration(reservationWanted: .zero)
    /// A launch it may begin; `nil` for a VM that only asks as a guest.
    var plan: LaunchPlan?
    /// How many columns each of its turns is held; `nil`: until a mark releases it.
    var turn: Int64?
    /// What it asks after each turn by itself, `gap` columns later, or in one message with the release; a `*` at its
    /// end repeats the last mark for ever.
    var program: [Character] = []
    var gap: Int64?
    /// Pages or vCPUs of an `u`, `f`, `w` or `l`.
    var units: UInt32?
    /// The longest wait that it gives with each request, in columns.
    var patience: Int64?
    var marks: [Character] = []

    /// Reads `A: pages 64, turn 5`.
    init(_ line: Substring, column: Nanoseconds) throws {
        let halves = line.split(separator: ":", maxSplits: 1)
        guard halves.count == 2, let name = halves[0].first, halves[0].count == 1 else {
            throw TimelineError("a lane is introduced as `A: …`, not as `\(line)`")
        }
        self.name = name
        for property in halves[1].split(separator: ",") {
            let words = property.split(separator: " ").map(String.init)
            guard let key = words.first else { continue }
            try read(key, words.count > 1 ? words[1] : "", column)
        }
    }

    private mutating func read(_ key: String, _ value: String, _ column: Nanoseconds) throws {
        func number() throws -> Int64 {
            guard let number = Int64(value) else { throw TimelineError("`\(key)` of \(name) needs a number") }
            return number
        }
        switch key {
        case "platform": role = .platform
        case "device": role = .device
        case "operator": role = .operation
        case "guest": break
        case "turn": turn = try number()
        case "then": program = Array(value)
        case "gap": gap = try number()
        case "units": units = UInt32(try number())
        case "patience": patience = try number()
        case "pages": plan = LaunchPlan(pages: UInt32(try number()))
        case "vcpus": plan?.virtualCPUs = UInt32(try number())
        case "whole": plan?.isWhole = true
        case "proxy": plan?.isProxy = true
        case "reserve": registration.reservationWanted = try Self.rate(value)
        case "limit": registration.limit = try Self.rate(value)
        case "weight": registration.weight = Weight(try number())
        case "burst": registration.burst = try number()
        case "once": registration.retryPolicy = .once
        case "never": registration.retryPolicy = .never
        case "wait": registration.guestWaitMax = column * (try number())
        default: throw TimelineError("`\(key)` is no property of a lane")
        }
    }

    /// The next mark of the program.
    mutating func next() -> Character? {
        guard let mark = program.first else { return nil }
        if program.count != 2 || program.last != "*" { program.removeFirst() }
        return mark
    }

    /// `0`, `2/s` or `1/40s`.
    private static func rate(_ text: String) throws -> Rate {
        let parts = text.split(separator: "/")
        guard let count = parts.first.flatMap({ Int64($0) }) else { throw TimelineError("`\(text)` is no rate") }
        guard parts.count == 2 else { return Rate(millihertz: count * 1_000) }
        return Rate(millihertz: count * 1_000 / (Int64(parts[1].dropLast()) ?? 1))
    }
}

struct TimelineError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
