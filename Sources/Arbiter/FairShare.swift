/// The fluid virtual time of the shared part (rule 6c) and the sum of weights it runs by.
///
/// It advances by the service given ÷ the sum of weights of the backlogged VMs; each VM's tag advances by its own
/// service ÷ its weight and is kept within `lead` of it, on both sides. A refused VM counts as backlogged: it sleeps in
/// its guest and must not lose its place. Unit: 1/256 ns per unit of weight (`Limits.virtualTimeScale`).
struct FairShare: Sendable {
    private(set) var virtualTime: Int64
    private(set) var sumOfWeights: Int64 = 0
    /// Of the backlogged VMs.
    private(set) var count: Int64 = 0
    /// L: how far a tag may stray from the virtual time.
    private(set) var lead: Int64 = 0
    /// The planned cost of a report.
    private var guestTurn: Nanoseconds
    private var remainder: Int64 = 0
    /// The sum before the last change, and its lead: a VM that is served leaves and comes back at once.
    private var before: (sum: Int64, lead: Int64) = (0, 0)

    init(guestTurn: Nanoseconds, startingAt virtualTime: Int64 = 0) {
        self.guestTurn = guestTurn
        self.virtualTime = virtualTime
    }

    mutating func adopt(guestTurn: Nanoseconds) {
        self.guestTurn = guestTurn
        lead = lead(of: sumOfWeights)
        before = (sumOfWeights, lead)
    }

    mutating func join(_ weight: Weight) { changeSum(by: weight.value, count: 1) }
    mutating func leave(_ weight: Weight) { changeSum(by: -weight.value, count: -1) }

    private mutating func changeSum(by difference: Int64, count change: Int64) {
        let now = (sum: sumOfWeights, lead: lead)
        sumOfWeights += difference
        count += change
        precondition(sumOfWeights >= 0, "a VM left the backlog that had not joined it")
        remainder = 0
        lead = sumOfWeights == before.sum ? before.lead : lead(of: sumOfWeights)
        before = now
    }

    /// Two retry quanta; in a crowd two rounds: in less than one, a single report takes a tag beyond its bound.
    private func lead(of sum: Int64) -> Int64 {
        let rounds = guestTurn * (count * Limits.roundsRemembered)
        return sum == 0 ? 0 : max(Limits.backlogMemory, rounds).count * Limits.virtualTimeScale / sum
    }

    /// A tag moved into the permitted range around the virtual time.
    func clamped(_ tag: Int64) -> Int64 {
        let distance = tag &- virtualTime
        return virtualTime &+ min(max(distance, -lead), lead)
    }

    /// Accounts for service to a backlogged VM and returns its new tag.
    mutating func serve(_ service: Nanoseconds, weight: Weight, tag: Int64) -> Int64 {
        let scaled = service.count * Limits.virtualTimeScale
        if sumOfWeights > 0 {
            let (advance, rest) = (scaled + remainder).quotientAndRemainder(dividingBy: sumOfWeights)
            virtualTime = virtualTime &+ advance
            remainder = rest
        }
        return clamped(tag &+ scaled / weight.value)
    }

    /// Moves the virtual time on when all that compete lead it by half of what they may.
    ///
    /// VMs that count in the sum of weights and do not use their share (a limit keeps them below it, a reservation
    /// serves them) hold the virtual time back. The others would come to stand at the end of their lead, where tags
    /// no longer tell their weights apart.
    mutating func follow(served tag: Int64, leastQueued: Int64?) {
        let ahead = min(tag &- virtualTime, (leastQueued ?? tag) &- virtualTime) - lead / 2
        if ahead > 0 { virtualTime = virtualTime &+ ahead }
    }

    /// Moves the virtual time back when all that compete lag it by a quarter of what they may.
    ///
    /// It has then followed some who were served while the others slept. Left there, it would stand so far ahead that
    /// each later sleep took a tag beyond its bound, and with it the VM's place.
    mutating func fallBack(served tag: Int64, mostQueued: Int64?) {
        let behind = min(virtualTime &- tag, virtualTime &- (mostQueued ?? tag)) - lead / 4
        if behind > 0 { virtualTime = virtualTime &- behind }
    }

    func isFarAhead(of tag: Int64) -> Bool { virtualTime &- tag > lead / 4 }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        words.put(virtualTime)
        words.put(sumOfWeights)
        words.put(count)
        words.put(lead)
        words.put(remainder)
        words.put(before.sum)
        words.put(before.lead)
    }

    init(restoring state: inout StateReader, guestTurn: Nanoseconds) throws(StateProblem) {
        self.guestTurn = guestTurn
        let weights = 0...Int64(Limits.restoredVMs) * Limits.weights.upperBound.value
        // Whatever a report was planned to cost then: no sum of two overflows.
        let leads = 0...Int64.max / 4
        virtualTime = try state.integer()
        sumOfWeights = try state.integer(in: weights, "a sum of weights")
        count = try state.integer(in: 0...Int64(Limits.restoredVMs), "the VMs that are backlogged")
        lead = try state.integer(in: leads, "the lead of a tag")
        remainder = try state.integer(in: weights, "a remainder")
        before = (
            try state.integer(in: weights, "a sum of weights"), try state.integer(in: leads, "the lead of a tag")
        )
    }
}
