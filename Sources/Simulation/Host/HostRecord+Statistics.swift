import Arbiter

/// Boot latencies in order. A launch that was cut counts with the time it had by then; one that failed, crashed or was
/// not admitted does not count.
public struct BootLatencies: Sendable {
    /// A latency, or the least it can have been.
    public struct Latency: Sendable, Equatable {
        public let time: Nanoseconds
        public let isCut: Bool
    }

    public let sorted: [Latency]

    public init(_ boots: [BootRecord]) {
        sorted = boots.compactMap { boot in
            switch boot.outcome {
            case .running: Latency(time: boot.latency, isCut: false)
            case .cut: Latency(time: boot.latency, isCut: true)
            case .notAdmitted, .failed, .crashed: nil
            }
        }.sorted { $0.time < $1.time }
    }

    public var count: Int { sorted.count }

    public var mean: Nanoseconds? {
        sorted.isEmpty ? nil : Nanoseconds(sorted.reduce(0) { $0 + $1.time.count } / Int64(count))
    }

    /// Nearest rank: the smallest that at least `perMille` thousandths of all do not exceed. It is a least value as
    /// soon as it lies at or beyond one that was cut, whose true latency may have any rank from there on. `nil`
    /// without any.
    public func percentile(perMille: Int) -> Latency? {
        guard !sorted.isEmpty else { return nil }
        let rank = max(1, (count * perMille + 999) / 1_000)
        return Latency(time: sorted[rank - 1].time, isCut: sorted[..<rank].contains { $0.isCut })
    }
}

extension LaunchGroupRecord {
    public var latencies: BootLatencies { BootLatencies(boots) }
}

extension HostRecord {
    /// The part of the counted time in which the SP was at work, in thousandths.
    public var utilisationPerMille: Int { Int(device.busy.count / max(length.count / 1_000, 1)) }
}
