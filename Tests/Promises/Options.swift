import Simulation

/// The command line.
struct Options {
    enum Command {
        case run
        case canaries
        case replay(WorldName)
    }

    var command = Command.run
    var seeds = Limits.seedsByDefault
    /// Whether seeds were named: then only they are played, and added to what was counted before.
    var addsUp = false
    var output = ".build/promises.json"
    /// What the totals are of: those of other sources are not added to.
    var sources = ""
    var shrinks = false
    /// The program that was built with the mutants.
    var canaryProgram: String?

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        switch rest.popFirst() {
        case "run": break
        case "canaries": command = .canaries
        case "replay": command = .replay(try Self.name(&rest))
        case let other: throw UsageError("`\(other ?? "")` is no command: run, canaries, replay")
        }
        while let option = rest.popFirst() { try read(option, &rest) }
    }

    private mutating func read(_ option: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        func value() throws(UsageError) -> String {
            guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
            return value
        }
        switch option {
        case "--seeds":
            seeds = try Self.seeds(try value())
            addsUp = true
        case "--out": output = try value()
        case "--sources": sources = try value()
        case "--canaries": canaryProgram = try value()
        case "--count":
            guard let count = UInt64(try value()), count > 0 else { throw UsageError("--count needs a number") }
            seeds = 1...count
        case "--changes":
            guard case .replay(var name) = command else { throw UsageError("--changes belongs to replay") }
            name.changes = try value().split(separator: ".").compactMap { UInt64($0) }
            command = .replay(name)
        case "--shrink": shrinks = true
        default: throw UsageError("`\(option)` is no option of promises")
        }
    }

    private static func name(_ rest: inout ArraySlice<String>) throws(UsageError) -> WorldName {
        guard let kind = rest.popFirst(), let seed = rest.popFirst().flatMap({ UInt64($0) }) else {
            throw UsageError(
                "replay needs a kind of world and a seed; kinds: \(Scenario.names.joined(separator: ", "))")
        }
        return WorldName(kind: kind, seed: seed)
    }

    private static func seeds(_ text: String) throws(UsageError) -> ClosedRange<UInt64> {
        let parts = text.split(separator: "-").map { UInt64($0) }
        guard parts.count == 2, let first = parts[0], let last = parts[1], first <= last, first > 0 else {
            throw UsageError("`\(text)` is no range of seeds: SEEDS=1-1000")
        }
        return first...last
    }
}

/// How much is played.
enum Limits {
    /// A minute or two on two cores; a tenth of them are long.
    static let seedsByDefault: ClosedRange<UInt64> = 1...60_000
    /// Of each promise so many of the worst worlds are made worse.
    static let climbsEach = 2
    /// So many changes of each are tried: more found nothing more.
    static let changesEach = 60
    /// Violations after this many are counted, and not told.
    static let violationsTold = 5
    /// Worlds of one unit of work: long enough that handing it out costs nothing.
    static let worldsInUnit: UInt64 = 200
    /// Each mutant has this many worlds to be caught in.
    static let worldsForCanary: UInt64 = 2_000
}
