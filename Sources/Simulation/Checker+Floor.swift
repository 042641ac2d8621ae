import Arbiter

/// P3: while launches are busy, guests keep their share.
extension Checker {
    /// The level of the floor's account: what guests got less their share, and what platform work may take from it.
    mutating func floorPasses(_ elapsed: Nanoseconds) throws(Violation) {
        let isServing = turns.contains { $0.commandClass == .guest }
        guard isServing || open.guestsEligible > 0, deviceMayBeUsed, !isDraining else {
            floorWindow.close()
            return
        }
        let share = configuration.floorShare.perMille
        let platform = (1_000 + share) * largest.platform.count
        let before = floorWindow.level + floorWindow.platformEnded * platform
        floorWindow.open(at: before)
        floorWindow.level += (isServing ? elapsed.count * 1_000 : 0) - elapsed.count * share
        let after = floorWindow.level + floorWindow.platformStarted * platform
        let allowed =
            share * configuration.floorDelay.count + 1_000 * largest.guest.count + share * largest.launch.count
        let lacking = floorWindow.peak - after
        worst.note(.floor, lacking, of: allowed)
        if lacking > allowed {
            throw broken(.floor, "guests got \((lacking - allowed) / 1_000) ns less than the floor promises")
        }
    }
}

/// The window of P3 that is open: what guests got less φ of the time, in thousandths of a nanosecond.
struct FloorWindow {
    var level: Int64 = 0
    var platformStarted: Int64 = 0
    var platformEnded: Int64 = 0
    /// The highest level at which a window may have begun; the lowest after it is what the promise bounds.
    private(set) var peak = Int64.min
    /// Guest turns granted while a session held the SP: each has to be the floor's.
    var grantsInHolds: UInt64 = 0

    mutating func open(at level: Int64) { peak = max(peak, level) }
    mutating func close() { peak = Int64.min }
}
