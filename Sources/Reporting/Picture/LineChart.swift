/// Lines over two axes, each named where it ends: there is no legend to look up.
///
/// A distribution is a `Series` with `isStepped`; a value that was cut is a `Point` with `isLeast`.
public struct LineChart: Sendable {
    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        /// A line rises from the point to here, as from a middle to a tail.
        public var tail: Double?
        /// The true value lies here or beyond: the marker is open, and an arrow points on.
        public var isLeast: Bool
        public var tailIsLeast: Bool

        public init(_ x: Double, _ y: Double, tail: Double? = nil, isLeast: Bool = false, tailIsLeast: Bool = false) {
            (self.x, self.y, self.tail, self.isLeast) = (x, y, tail, isLeast)
            self.tailIsLeast = tailIsLeast || isLeast
        }
    }

    public struct Series: Sendable {
        public var name: String
        /// A smaller second line beneath the name.
        public var note: String?
        public var hue: Hue
        public var points: [Point]
        public var isDashed: Bool
        public var hasMarkers: Bool
        /// Level from each point to the next one's place, as a distribution of single values is.
        public var isStepped: Bool

        public init(
            _ name: String, note: String? = nil, _ hue: Hue, isDashed: Bool = false, hasMarkers: Bool = true,
            isStepped: Bool = false, points: [Point]
        ) {
            (self.name, self.note, self.hue, self.points) = (name, note, hue, points)
            (self.isDashed, self.hasMarkers, self.isStepped) = (isDashed, hasMarkers, isStepped)
        }
    }

    /// A value to compare with: a dashed line right across.
    public enum Mark: Sendable {
        case x(Double, String)
        case y(Double, String)
    }

    public let label: String
    public let x: Axis
    public let y: Axis
    public var series: [Series]
    public var marks: [Mark]

    static let width = 760.0
    static let left = 72.0
    static let top = 28.0
    static let bottom = 48.0
    let height: Double
    /// Room for names at the lines' ends.
    let right: Double

    /// - Parameters:
    ///   - label: what the picture shows, for those who do not see it.
    ///   - room: how much room names have beside the chart.
    public init(
        _ label: String, x: Axis, y: Axis, series: [Series], marks: [Mark] = [], height: Double = 380,
        room: Double = 150
    ) {
        (self.label, self.x, self.y, self.series, self.marks) = (label, x, y, series, marks)
        (self.height, right) = (height, room)
    }

    public var svg: SVG {
        var svg = SVG(width: Self.width, height: height, label: label)
        drawAxes(&svg)
        for mark in marks { draw(mark, &svg) }
        for line in series { draw(line, &svg) }
        drawNames(&svg)
        return svg
    }

    func place(x value: Double) -> Double { Self.left + x.scale.part(of: value) * (Self.width - Self.left - right) }

    func place(y value: Double) -> Double {
        height - Self.bottom - y.scale.part(of: value) * (height - Self.top - Self.bottom)
    }
}
