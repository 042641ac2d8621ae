/// A code sent by the daemon, of which a newer daemon may know more than its client: an unknown one is kept, not an
/// error.
public struct Extensible<Known: RawRepresentable>: Sendable
where Known: Sendable, Known.RawValue: FixedWidthInteger & UnsignedInteger & Sendable {
    public let rawValue: Known.RawValue

    public init(rawValue: Known.RawValue) { self.rawValue = rawValue }
    public init(_ known: Known) { rawValue = known.rawValue }

    /// The code's meaning, if it is one that is known here.
    public var known: Known? { Known(rawValue: rawValue) }
}

extension Extensible: Equatable {
    public static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }
}
