/// The last gaps between one client's launch commands, from which the hold is derived (rule 4).
///
/// One flat array for all VMs; a gap is kept in microseconds, at most `Limits.holdMax`, since longer ones change
/// nothing.
struct GapHistory: Sendable {
    private struct Summary {
        var known: UInt8 = 0
        var next: UInt8 = 0
        var longest: UInt16 = 0
    }

    private var gaps: [UInt16]
    private var summaries: [Summary]

    init(virtualMachines: Int) {
        gaps = Array(repeating: 0, count: virtualMachines * Limits.gapsRemembered)
        summaries = Array(repeating: Summary(), count: virtualMachines)
    }

    mutating func forget(_ slot: Int) { summaries[slot] = Summary() }

    mutating func record(_ gap: Nanoseconds, of slot: Int) {
        // Rounded up: a hold that is too short by a rounding error is no hold.
        let microseconds = UInt16((min(gap, Limits.holdMax).count + 999) / 1_000)
        var summary = summaries[slot]
        let position = slot * Limits.gapsRemembered + Int(summary.next)
        let forgotten = Int(summary.known) == Limits.gapsRemembered ? gaps[position] : 0
        gaps[position] = microseconds
        summary.next = (summary.next + 1) % UInt8(Limits.gapsRemembered)
        if Int(summary.known) < Limits.gapsRemembered { summary.known += 1 }
        summary.longest = max(summary.longest, microseconds)
        if forgotten == summary.longest, microseconds < forgotten {
            summary.longest = longest(of: slot, known: Int(summary.known))
        }
        summaries[slot] = summary
    }

    private func longest(of slot: Int, known: Int) -> UInt16 {
        let start = slot * Limits.gapsRemembered
        var longest: UInt16 = 0
        for position in start..<start + known { longest = max(longest, gaps[position]) }
        return longest
    }

    /// h: twice the longest gap; not below the configured hold until all gaps are known.
    func hold(of slot: Int, initial: Nanoseconds) -> Nanoseconds {
        let summary = summaries[slot]
        let twice = Nanoseconds.microseconds(2 * Int64(summary.longest))
        let isKnown = Int(summary.known) == Limits.gapsRemembered
        return (isKnown ? twice : max(twice, initial)).clamped(to: Limits.holdMin...Limits.holdMax)
    }

    // MARK: Its state

    /// Four gaps a word.
    func save(_ slot: Int, into words: inout [UInt64]) {
        let summary = summaries[slot]
        words.append(UInt64(summary.known) | UInt64(summary.next) << 8 | UInt64(summary.longest) << 16)
        let start = slot * Limits.gapsRemembered
        for first in stride(from: 0, to: Int(summary.known), by: 4) {
            var word: UInt64 = 0
            for index in first..<min(first + 4, Int(summary.known)) {
                word |= UInt64(gaps[start + index]) << UInt64(16 * (index - first))
            }
            words.append(word)
        }
    }

    mutating func restore(_ slot: Int, _ state: inout StateReader) throws(StateProblem) {
        let word = try state.word()
        let summary = Summary(
            known: UInt8(truncatingIfNeeded: word), next: UInt8(truncatingIfNeeded: word >> 8),
            longest: UInt16(truncatingIfNeeded: word >> 16))
        guard word >> 32 == 0, Int(summary.known) <= Limits.gapsRemembered, Int(summary.next) < Limits.gapsRemembered
        else { throw state.problem("remembers more gaps of a launch than there can be") }
        summaries[slot] = summary
        let start = slot * Limits.gapsRemembered
        for first in stride(from: 0, to: Int(summary.known), by: 4) {
            let word = try state.word()
            for index in first..<min(first + 4, Int(summary.known)) {
                gaps[start + index] = UInt16(truncatingIfNeeded: word >> UInt64(16 * (index - first)))
            }
        }
    }
}
