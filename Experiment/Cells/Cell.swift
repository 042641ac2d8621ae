import Simulation

/// One host that is played: a name that nothing else has, and its plan.
struct Cell: Sendable {
    let name: String
    let plan: HostPlan

    /// - Parameter plan: its seed is made of the name, so that no cell's numbers depend on which others there are.
    init(_ name: String, _ plan: HostPlan) {
        var seeded = plan
        seeded.seed = Self.seed(of: name)
        self.name = name
        self.plan = seeded
    }

    /// FNV-1a.
    private static func seed(of name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
