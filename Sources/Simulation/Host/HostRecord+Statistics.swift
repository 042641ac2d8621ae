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

extension GuestGroupRecord {
    /// Jain's index of the reports of the VMs that were admitted, in thousandths; `nil` if there were none.
    public var jainPerMille: Int? { Self.jain(guests.filter(\.isAdmitted).map(\.reports)) }

    /// The same over some of the windows.
    public func jainPerMille(windows range: Range<Int>) -> Int? {
        let admitted = guests.indices.filter { guests[$0].isAdmitted }
        return Self.jain(admitted.map { guest in range.reduce(0) { $0 + windows.reports(of: guest, inWindow: $1) } })
    }

    /// (Σx)² ÷ (n·Σx²): a thousand if all got the same, a thousand ÷ n if one got everything.
    private static func jain(_ shares: [Int]) -> Int? {
        let sum = shares.reduce(0) { $0 + UInt64($1) }
        let squares = shares.reduce(0) { $0 + UInt64($1) * UInt64($1) }
        guard squares > 0 else { return nil }
        let divisor = UInt64(shares.count) * squares
        return Int(divisor.dividingFullWidth((sum * 1_000).multipliedFullWidth(by: sum)).quotient)
    }
}

extension HostRecord {
    /// The part of the counted time in which the SP was at work, in thousandths.
    public var utilisationPerMille: Int { Int(device.busy.count / max(length.count / 1_000, 1)) }
}
