extension LineChart {
    func drawAxes(_ svg: inout SVG) {
        let edge = Self.width - right
        for tick in y.ticks {
            let place = place(y: tick.value)
            svg.line(Self.left, place, edge, place, "grid")
            svg.text(tick.text, Self.left - 10, place + 4, anchor: .end, "tick")
        }
        for value in y.minorTicks { svg.line(Self.left - 4, place(y: value), Self.left, place(y: value), "grid") }
        for value in x.minorTicks {
            svg.line(place(x: value), height - Self.bottom, place(x: value), height - Self.bottom + 4, "grid")
        }
        for tick in x.ticks {
            svg.line(place(x: tick.value), height - Self.bottom, place(x: tick.value), height - Self.bottom + 5, "grid")
            svg.text(tick.text, place(x: tick.value), height - Self.bottom + 20, anchor: .middle, "tick")
        }
        svg.text(x.label, (Self.left + edge) / 2, height - 8, anchor: .middle, "label")
        svg.text(y.label, Self.left - 60, 14, "label")
    }

    func draw(_ mark: Mark, _ svg: inout SVG) {
        switch mark {
        case .x(let value, let text):
            svg.line(place(x: value), Self.top, place(x: value), height - Self.bottom, "mark")
            svg.text(text, place(x: value) + 5, Self.top + 12, "tick")
        case .y(let value, let text):
            svg.line(Self.left, place(y: value), Self.width - right, place(y: value), "mark")
            svg.text(text, Self.left + 6, place(y: value) - 5, "tick")
        }
    }

    func draw(_ line: Series, _ svg: inout SVG) {
        let hue = line.hue.rawValue
        svg.polyline(path(of: line), line.isDashed ? "curve dashed \(hue)" : "curve \(hue)")
        guard line.hasMarkers else { return }
        for point in line.points {
            let (x, y) = (place(x: point.x), place(y: point.y))
            let end = point.tail.map(place(y:)) ?? y
            if point.tail != nil { svg.line(x, y, x, end, "tail \(hue)") }
            svg.circle(x, y, 5, "\(point.isLeast ? "open" : "full") \(hue)")
            if point.tailIsLeast { svg.arrowUp(x, end - 5, length: 20, "arrow \(hue)") }
        }
    }

    private func path(of line: Series) -> [(x: Double, y: Double)] {
        let points = line.points.map { (x: place(x: $0.x), y: place(y: $0.y)) }
        guard line.isStepped, let first = points.first else { return points }
        return zip(points, points.dropFirst()).reduce(into: [first]) { path, step in
            path += [(step.1.x, step.0.y), step.1]
        }
    }

    /// Names at the ends of the lines, moved apart where they would overlap.
    func drawNames(_ svg: inout SVG) {
        let ends = series.compactMap { line in line.points.last.map { (line: line, y: place(y: $0.y) + 4) } }
            .sorted { $0.y > $1.y }
        let heights = ends.map { $0.line.note == nil ? 17.0 : 31.0 }
        let places = NamePlaces.apart(ends.map(\.y), heights: heights, within: Self.top + 8...height - Self.bottom + 3)
        for (end, place) in zip(ends, places) where !end.line.name.isEmpty {
            let x = Self.width - right + 14
            svg.text(end.line.name, x, place, "name \(end.line.hue.rawValue)")
            if let note = end.line.note { svg.text(note, x, place + 14, "tick") }
        }
    }
}

enum NamePlaces {
    /// Places at or near the wanted ones, which fall from the lowest (largest y) up, so that none overlaps the one
    /// beneath: pushed up first, and down again from the upper edge if that left no room.
    static func apart(_ wanted: [Double], heights: [Double], within range: ClosedRange<Double>) -> [Double] {
        var places: [Double] = []
        for (index, place) in wanted.enumerated() {
            let ceiling = places.last.map { $0 - heights[index] } ?? range.upperBound - (heights[index] - 17)
            places.append(min(place, ceiling))
        }
        var least = range.lowerBound
        for index in places.indices.reversed() {
            places[index] = max(places[index], least)
            least = places[index] + (index > 0 ? heights[index] : 0)
        }
        return places
    }
}
