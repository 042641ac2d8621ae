import Simulation

/// Plays one world again and tells every step; made as small as it can be, if that is wanted.
struct Replay {
    private let name: WorldName
    private let shrinks: Bool

    init(_ name: WorldName, shrinks: Bool) {
        self.name = name
        self.shrinks = shrinks
    }

    func tell() throws(UsageError) {
        guard var scenario = name.scenario else {
            throw UsageError("there is no world \(name); kinds: \(Scenario.names.joined(separator: ", "))")
        }
        if shrinks, let violation = Self.violation(of: scenario) {
            scenario = Shrinker(scenario, breaking: violation.rule).shrunk()
        }
        var world = World(scenario) { print($0) }
        do throws(Violation) {
            try world.run()
            print("no rule is broken")
        } catch { print("\(error)") }
        print(TimelineText(of: scenario).text)
    }

    /// A violation, for a person: what, where, the smallest world that does the same, and how to see it.
    func explain(_ violation: Violation) {
        print("\n\(violation)\n    make replay \(name)\n    make replay \(name) SHRINK=1")
        guard let scenario = name.scenario else { return }
        let shrunk = Shrinker(scenario, breaking: violation.rule).shrunk()
        print("The smallest world found that breaks \(violation.rule.rawValue):")
        print(TimelineText(of: shrunk).text)
    }

    private static func violation(of scenario: Scenario) -> Violation? {
        var world = World(scenario)
        do throws(Violation) { try world.run() } catch { return error }
        return nil
    }
}
