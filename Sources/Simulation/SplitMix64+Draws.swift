import Arbiter
import SPModel

/// Draws that are the same everywhere; the small bias of a remainder does not matter here.
extension SplitMix64 {
    mutating func below(_ bound: Int64) -> Int64 { bound <= 1 ? 0 : Int64(next() >> 1) % bound }

    mutating func draw(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    mutating func draw(_ range: ClosedRange<Nanoseconds>) -> Nanoseconds {
        Nanoseconds(draw(range.lowerBound.count...range.upperBound.count))
    }

    mutating func chance(perMille: Int64) -> Bool { below(1_000) < perMille }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(below(Int64(choices.count)))] }

    /// Of a range of many orders of magnitude, each order as likely as the others.
    mutating func drawByMagnitude(_ range: ClosedRange<Int64>) -> Int64 {
        let least = 63 - max(range.lowerBound, 1).leadingZeroBitCount
        let most = 63 - max(range.upperBound, 1).leadingZeroBitCount
        let magnitude = draw(Int64(least)...Int64(most))
        let low = Int64(1) << magnitude
        return min(max(low + below(low), range.lowerBound), range.upperBound)
    }
}
