extension Scenario {
    /// Every kind of world that a seed can be drawn for.
    public static let names = ["random"] + PromiseWorld.allCases.map(\.rawValue)

    public static func named(_ name: String, seed: UInt64) -> Scenario? {
        name == "random" ? random(seed: seed) : PromiseWorld(rawValue: name).map { promise($0, seed: seed) }
    }
}
