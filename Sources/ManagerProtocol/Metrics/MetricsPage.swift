/// `Metrics`, made in small steps: first the figures of the VMs are taken, then text is written family by family, since
/// the format wants a family's samples together (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
struct MetricsPage: Sendable {
    enum Step: Equatable {
        /// Nothing to send yet: go on.
        case goesOn
        case piece(String, isLast: Bool)
    }

    private let host: HostFigures
    private var vms: [VMFigures] = []
    private var hasAllVMs = false
    /// Where the writing is: a family, whether its head is written, and a VM of it.
    private var family = 0
    private var hasHead = false
    private var vm = 0

    init(_ host: HostFigures) { self.host = host }

    mutating func next(from source: borrowing some ManagerSource & ~Copyable) -> Step {
        guard hasAllVMs else {
            collect(from: source)
            return .goesOn
        }
        var text = ""
        while text.utf8.count < ManagerLimits.metricsPieceBytes {
            guard family < ManagerMetrics.families.count else {
                return .piece(text + "# EOF\n", isLast: true)
            }
            write(ManagerMetrics.families[family], to: &text)
        }
        return .piece(text, isLast: false)
    }

    private mutating func collect(from source: borrowing some ManagerSource & ~Copyable) {
        for _ in 0..<ManagerLimits.measuredVMsPerStep {
            guard vms.count < ManagerLimits.measuredVMs, let next = source.figures(afterSlot: vms.last?.slot) else {
                hasAllVMs = true
                return
            }
            vms.append(next)
        }
    }

    /// Writes the family's head and its samples, as far as the piece reaches.
    private mutating func write(_ family: MetricFamily, to text: inout String) {
        if !hasHead { text += head(of: family) }
        hasHead = true
        switch family.source {
        case .host(let samples): for sample in samples(host) { text += line(family, sample) }
        case .vm(let sample):
            while vm < vms.count, text.utf8.count < ManagerLimits.metricsPieceBytes {
                if let sample = sample(vms[vm]) { text += line(family, sample) }
                vm += 1
            }
            if vm < vms.count { return }
        }
        self.family += 1
        hasHead = false
        vm = 0
    }

    private func head(of family: MetricFamily) -> String {
        "# TYPE \(family.name) \(family.kind.rawValue)\n"
            + (family.unit.map { "# UNIT \(family.name) \($0)\n" } ?? "")
            + "# HELP \(family.name) \(family.help)\n"
    }

    private func line(_ family: MetricFamily, _ sample: MetricFamily.Sample) -> String {
        let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        return family.sampleName + (labels.isEmpty ? "" : "{\(labels)}") + " \(sample.value)\n"
    }

    /// A label's value: what would end it is escaped, and what no reader could show is replaced.
    static func escaped(_ value: String) -> String {
        value.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}

/// What one reply of `Metrics` carries: a piece of the text.
public struct MetricsPiece: Codable, Equatable, Sendable {
    public var text: String

    public init(text: String) { self.text = text }
}

/// What `Drain` and `Resume` answer.
public struct DrainReply: Codable, Equatable, Sendable {
    /// Whether it was so already.
    public var was: Bool

    public init(was: Bool) { self.was = was }
}
