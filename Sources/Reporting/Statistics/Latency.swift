import Arbiter

/// How long something took, or the least it can have taken where it was cut: still under way when its time was over.
public struct Latency: Hashable, Comparable, Sendable {
    public var time: Nanoseconds
    public var isCut: Bool

    public init(_ time: Nanoseconds, isCut: Bool = false) {
        self.time = time
        self.isCut = isCut
    }

    public static func < (left: Self, right: Self) -> Bool { left.time < right.time }

    /// For people: milliseconds below ten seconds; `> 4.0 s (cut)` for a least value.
    public var text: String {
        if isCut { return "> \(Format.fixed(time.seconds, 1)) s (cut)" }
        return time < .seconds(10) ? "\(Format.fixed(time.milliseconds, 0)) ms" : "\(Format.fixed(time.seconds, 1)) s"
    }
}

extension Nanoseconds {
    /// For figures and plots only: rules and budgets reckon in whole nanoseconds.
    public var seconds: Double { Double(count) / 1e9 }
    public var milliseconds: Double { Double(count) / 1e6 }
}
