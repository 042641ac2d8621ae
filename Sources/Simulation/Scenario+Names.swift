/// How a world is named, so that it can be played again: a kind, a seed, and what was changed in it.
public struct WorldName: Hashable, Sendable, CustomStringConvertible {
    public var kind: String
    public var seed: UInt64
    /// Each is the seed of one change (`Scenario.changed(by:)`), in their order.
    public var changes: [UInt64] = []

    public init(kind: String, seed: UInt64, changes: [UInt64] = []) {
        self.kind = kind
        self.seed = seed
        self.changes = changes
    }

    /// `nil` when there is no such kind, or no such seed of it.
    public var scenario: Scenario? {
        changes.reduce(Scenario.named(kind, seed: seed)) { $0?.changed(by: $1) }
    }

    /// What `make replay` is told.
    public var description: String {
        let changes = changes.isEmpty ? "" : " CHANGES=" + changes.map(String.init).joined(separator: ".")
        return "WORLD=\(kind) SEED=\(seed)\(changes)"
    }
}

extension Scenario {
    /// Every kind of world that a seed can be drawn for. Of `small` the seed is the number.
    public static let names =
        ["random", "honest", "long", "small"] + PromiseWorld.allCases.map(\.rawValue) + Attack.allCases.map(\.rawValue)

    public static func named(_ name: String, seed: UInt64) -> Scenario? {
        switch name {
        case "random": random(seed: seed)
        case "honest": honest(seed: seed)
        case "long": long(seed: seed)
        case "small": SmallWorlds.scenario(number: seed)
        default:
            PromiseWorld(rawValue: name).map { promise($0, seed: seed) }
                ?? Attack(rawValue: name).map { attack($0, seed: seed) }
        }
    }
}
