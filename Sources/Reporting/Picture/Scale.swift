/// Where on an axis a value lies.
public enum Scale: Sendable {
    /// Equal distances for equal differences.
    case linear(ClosedRange<Double>)
    /// Equal distances for equal ratios. The range must be above zero.
    case logarithmic(ClosedRange<Double>)
    /// For numbers of things, from none: equal distances for doublings, and a place for 0.
    case doubling(upTo: Double)
    /// These values at equal distances, half a distance from the ends; others have no place.
    case places([Double])

    /// 0 at the axis' beginning, 1 at its end; what lies outside is moved to the nearer end.
    public func part(of value: Double) -> Double {
        let part =
            switch self {
            case .linear(let range): (value - range.lowerBound) / (range.upperBound - range.lowerBound)
            case .logarithmic(let range):
                (Logarithm.base2(max(value, range.lowerBound)) - Logarithm.base2(range.lowerBound))
                    / (Logarithm.base2(range.upperBound) - Logarithm.base2(range.lowerBound))
            case .doubling(let most): Logarithm.base2(1 + max(value, 0)) / Logarithm.base2(1 + most)
            case .places(let values):
                (Double(values.firstIndex(of: value) ?? 0) + 0.5) / Double(max(values.count, 1))
            }
        return min(max(part, 0), 1)
    }
}

/// Logarithms by +, −, × and ÷ alone, so that pictures come out alike on every machine.
enum Logarithm {
    /// Of a finite number above zero; exact to some fifteen digits.
    static func base2(_ value: Double) -> Double {
        let isUpper = value.significand > 1.414213562373095
        let reduced = isUpper ? value.significand / 2 : value.significand
        let exponent = Double(value.exponent) + (isUpper ? 1 : 0)
        // ln m = 2·(t + t³/3 + t⁵/5 + …) with t = (m − 1)/(m + 1), |t| ≤ 0.172.
        let t = (reduced - 1) / (reduced + 1)
        var power = t
        var sum = 0.0
        for odd in stride(from: 1, through: 21, by: 2) {
            sum += power / Double(odd)
            power *= t * t
        }
        return exponent + 2 * sum / 0.6931471805599453
    }
}
