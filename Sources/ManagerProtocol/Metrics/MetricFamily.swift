/// One family of OpenMetrics: a name, what it counts, and where its samples come from.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable {
        case gauge, counter, info, stateset
    }

    /// One number: of the host, of one reason or class of it, or of a VM.
    struct Sample {
        var labels: [(name: String, value: String)] = []
        let value: String
    }

    enum Source: Sendable {
        case host(@Sendable (HostFigures) -> [Sample])
        case vm(@Sendable (VMFigures) -> Sample?)
    }

    /// Without the `_total` or `_info` of its samples.
    public let name: String
    public let kind: Kind
    /// The last word of the name, where there is one.
    public let unit: String?
    /// One sentence.
    public let help: String
    let source: Source

    /// How its samples are called: what a query or a dashboard names.
    public var sampleName: String {
        switch kind {
        case .gauge, .stateset: name
        case .counter: name + "_total"
        case .info: name + "_info"
        }
    }
}

// MARK: - Of the host

extension MetricFamily {
    static func gauge(
        _ name: String, unit: String? = nil, _ help: String, _ value: @escaping @Sendable (HostFigures) -> String?
    ) -> MetricFamily {
        MetricFamily(
            name: name, kind: .gauge, unit: unit, help: help,
            source: .host { figures in
                value(figures).map { [Sample(value: $0)] } ?? []
            })
    }

    static func counter(
        _ name: String, _ help: String, _ value: @escaping @Sendable (HostFigures) -> Int64?
    ) -> MetricFamily {
        MetricFamily(
            name: name, kind: .counter, unit: nil, help: help,
            source: .host { figures in value(figures).map { [Sample(value: "\($0)")] } ?? [] })
    }

    /// One sample for each value of one label. The label's values are bounded by what calls it.
    static func each(
        _ name: String, _ kind: Kind, unit: String? = nil, by label: String, _ help: String,
        _ values: @escaping @Sendable (HostFigures) -> [(String, String)]
    ) -> MetricFamily {
        MetricFamily(
            name: name, kind: kind, unit: unit, help: help,
            source: .host { figures in
                values(figures).map { Sample(labels: [(label, $0.0)], value: $0.1) }
            })
    }

    static func ofVM(
        _ name: String, _ kind: Kind, unit: String? = nil, _ help: String,
        labels: @escaping @Sendable (VMFigures) -> [(name: String, value: String)] = { _ in [] },
        _ value: @escaping @Sendable (VMFigures) -> String?
    ) -> MetricFamily {
        MetricFamily(
            name: name, kind: kind, unit: unit, help: help,
            source: .vm { figures in
                value(figures).map {
                    Sample(
                        labels: [("slot", "\(figures.slot)"), ("vm", figures.name)] + labels(figures), value: $0)
                }
            })
    }
}

/// Numbers as OpenMetrics writes them: exact, since all come from whole ones.
enum MetricValue {
    static func seconds(_ nanoseconds: Int64) -> String { decimal(nanoseconds, places: 9) }
    static func hertz(_ millihertz: Int64) -> String { decimal(millihertz, places: 3) }
    static func truth(_ value: Bool) -> String { value ? "1" : "0" }

    private static func decimal(_ value: Int64, places: Int) -> String {
        var scale: UInt64 = 1
        for _ in 0..<places { scale *= 10 }
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: scale)
        let digits = String(rest)
        return (value < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: places - digits.count) + digits
    }
}
