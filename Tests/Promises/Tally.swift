import Simulation

/// What many worlds came to. Two of them merge to the same, whichever was first.
struct Tally {
    struct Worst {
        var worlds = 0
        var perMillion: Int64 = 0
        var name: WorldName?
    }

    struct Failure {
        let name: WorldName
        let violation: Violation
    }

    var worst = Array(repeating: Worst(), count: Promise.allCases.count)
    var worlds: [String: Int] = [:]
    var failures: [Failure] = []
    var violations = 0
    var steps = 0

    /// Plays one world.
    @discardableResult
    mutating func play(_ name: WorldName, _ scenario: Scenario, as kind: String) -> PromiseRatios {
        var world = World(scenario)
        do throws(Violation) { try world.run() } catch {
            violations += 1
            failures.append(Failure(name: name, violation: error))
            keepFirstFailures()
        }
        worlds[kind, default: 0] += 1
        steps += world.counts.steps
        for promise in Promise.allCases where world.ratios.observations(promise) > 0 {
            note(promise, Worst(worlds: 1, perMillion: world.ratios.perMillion(promise), name: name))
        }
        return world.ratios
    }

    private mutating func note(_ promise: Promise, _ other: Worst) {
        let isWorse = other.isWorse(than: worst[promise.rawValue])
        worst[promise.rawValue].worlds += other.worlds
        guard isWorse else { return }
        worst[promise.rawValue].perMillion = other.perMillion
        worst[promise.rawValue].name = other.name
    }

    mutating func add(_ other: Tally) {
        for promise in Promise.allCases { note(promise, other.worst[promise.rawValue]) }
        worlds.merge(other.worlds, uniquingKeysWith: +)
        failures += other.failures
        violations += other.violations
        steps += other.steps
        keepFirstFailures()
    }

    private mutating func keepFirstFailures() {
        failures.sort { ($0.name.kind, $0.name.seed) < ($1.name.kind, $1.name.seed) }
        failures = Array(failures.prefix(Limits.violationsTold))
    }
}

extension Tally.Worst {
    /// Of two that are as bad the first by name, so that the order of play does not matter.
    func isWorse(than other: Tally.Worst) -> Bool {
        guard let name else { return false }
        guard let otherName = other.name else { return true }
        if perMillion != other.perMillion { return perMillion > other.perMillion }
        return (name.kind, name.seed) < (otherName.kind, otherName.seed)
    }
}
