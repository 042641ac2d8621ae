import Arbiter

/// An axis of a chart: what it means, where values lie on it, and which of them are written.
public struct Axis: Sendable {
    public struct Tick: Sendable {
        public let value: Double
        public let text: String
    }

    public let label: String
    public let scale: Scale
    public let ticks: [Tick]
    /// Short lines without a number.
    public let minorTicks: [Double]

    public init(label: String, scale: Scale, ticks: [Tick], minorTicks: [Double] = []) {
        self.label = label
        self.scale = scale
        self.ticks = ticks
        self.minorTicks = minorTicks
    }

    /// Numbers of things, from none on, at the distances of doublings.
    public static func doublings(_ label: String, of numbers: [Int]) -> Axis {
        Axis(
            label: label, scale: .doubling(upTo: Double(max(numbers.max() ?? 1, 1))),
            ticks: numbers.map { Tick(value: Double($0), text: Format.grouped($0)) })
    }

    /// Numbers of things at equal distances: 0 has no place on a logarithmic axis, and 16 no room beside 0 on a linear
    /// one.
    public static func places(_ label: String, of numbers: [Int]) -> Axis {
        Axis(
            label: label, scale: .places(numbers.map(Double.init)),
            ticks: numbers.map { Tick(value: Double($0), text: Format.grouped($0)) })
    }

    /// From `start` to a round number at or above `end`, with four to ten numbers.
    public static func linear(
        _ label: String, from start: Double = 0, to end: Double, text: (Double) -> String = Axis.plain
    ) -> Axis {
        let step = roundStep(max(end - start, 1e-9) / 8)
        let count = Int((end - start) / step + 1 - 1e-9)
        let values = (0...max(count, 1)).map { start + Double($0) * step }
        return Axis(
            label: label, scale: .linear(start...values[values.count - 1]),
            ticks: values.map { Tick(value: $0, text: text($0)) })
    }

    /// Times on a logarithmic scale that holds all of `times`, in milliseconds.
    public static func times(_ label: String, holding times: [Nanoseconds]) -> Axis {
        logarithmic(label, holding: times.map(\.milliseconds), text: time(milliseconds:))
    }

    /// Numbers above zero on a logarithmic scale that holds all of them. Where it spans more than two decades, only its
    /// beginning and the powers of ten are written; where it spans less than one, every digit.
    public static func logarithmic(
        _ label: String, holding values: [Double], text: (Double) -> String = Axis.plain
    ) -> Axis {
        let held = values.filter { $0 > 0 }
        let (low, high) = (held.min() ?? 1, held.max() ?? 10)
        let rounds = roundNumbers(around: low...max(high, low * 1.01))
        let bottom = rounds.last { $0 <= low } ?? low
        let top = rounds.first { $0 >= max(high, bottom * 1.9) } ?? high
        let digits = roundNumbers(around: bottom...top, digits: (1...9).map(Double.init)).filter {
            bottom <= $0 && $0 <= top
        }
        let written =
            switch top / bottom {
            case ..<6: digits
            case ..<150: digits.filter(rounds.contains)
            default: digits.filter { $0 == bottom || isPowerOfTen($0) }
            }
        return Axis(
            label: label, scale: .logarithmic(bottom...top), ticks: written.map { Tick(value: $0, text: text($0)) },
            minorTicks: digits.filter { !written.contains($0) })
    }

    // MARK: Numbers

    public static func plain(_ value: Double) -> String {
        value == Double(Int(value)) ? Format.grouped(Int(value)) : Format.fixed(value, value < 0.1 ? 2 : 1)
    }

    /// A time in the unit that makes it short.
    public static func time(milliseconds: Double) -> String {
        if milliseconds < 1 { return "\(plain(milliseconds * 1_000)) µs" }
        return milliseconds < 1_000 ? "\(plain(milliseconds)) ms" : "\(plain(milliseconds / 1_000)) s"
    }

    /// 1, 2 or 5 times a power of ten, at least `least`.
    private static func roundStep(_ least: Double) -> Double {
        let rounds = roundNumbers(around: least...least)
        return rounds.first { $0 >= least } ?? least
    }

    /// Some digits times the powers of ten, from at or below the range to at or above it.
    private static func roundNumbers(around range: ClosedRange<Double>, digits: [Double] = [1, 2, 5]) -> [Double] {
        var power = 1.0
        while power > range.lowerBound { power /= 10 }
        while power * 10 <= range.lowerBound { power *= 10 }
        var numbers: [Double] = []
        while numbers.last ?? 0 < range.upperBound * 2 {
            numbers += digits.map { power * $0 }
            power *= 10
        }
        return numbers
    }

    private static func isPowerOfTen(_ value: Double) -> Bool {
        var power = 1.0
        while power > value * 1.001 { power /= 10 }
        while power * 10 <= value * 1.001 { power *= 10 }
        return power > value * 0.999
    }
}
