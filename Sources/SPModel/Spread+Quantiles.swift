extension Spread {
    /// The distribution's quantiles, each as likely as any other, in parts of 1/65536 of the median.
    var quantiles: [Int32] {
        switch self {
        case .hundredths1: QuantileTable.logSD1
        case .hundredths5: QuantileTable.logSD5
        case .hundredths6: QuantileTable.logSD6
        case .hundredths10: QuantileTable.logSD10
        case .hundredths20: QuantileTable.logSD20
        }
    }
}
