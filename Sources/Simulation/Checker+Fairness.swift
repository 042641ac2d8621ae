import Arbiter

/// P5: guests that are always backlogged share by weight.
extension Checker {
    mutating func fairnessPasses() throws(Violation) {
        for window in fairness.windows(endingAt: clock, largestTurn: largest.guest) {
            let isBounded = fairness.knowsTags && window.unclamped >= 2
            if isBounded { worst.note(.fairness, window.spread, of: window.bound) }
            if isBounded, window.spread > window.bound {
                throw broken(
                    .fairness,
                    "VMs \(window.most.tenant) and \(window.least.tenant) strayed by \(window.spread / 1_000) ns per "
                        + "weight in \(window.length.count) ns, bound \(window.bound / 1_000)")
            }
            // Reserved requests come first, and in convoys keep the others out for longer than those may wait.
            guard fairness.knowsTags, let jain = window.jain else { continue }
            worst.note(.fairness, 1_000_000 - jain, of: Self.unevenness)
            if jain < 1_000_000 - Self.unevenness {
                throw broken(.fairness, "Jain's index was \(jain) millionths over \(window.length.count) ns")
            }
        }
    }

    /// A Jain index of 0.975 is promised.
    private static var unevenness: Int64 { 25_000 }
}
