import HostileSupport

/// What the daemon held, second by second.
struct Memory {
    private(set) var samples: [ProcessFigures] = []

    mutating func add(_ figures: ProcessFigures) { samples.append(figures) }

    /// By when everything is there that is made once: five minutes, or a sixth of a shorter run.
    private var settled: Int { min(300, samples.count / 6) }
    /// As many samples as tell a trend from a moment.
    private var window: Int { max(1, samples.count / 10) }

    var residentAfterStart: Int { median(samples[settled..<min(settled + window, samples.count)]) }
    var residentAtEnd: Int { median(samples.suffix(window)) }

    /// Of resident memory, from when the daemon had settled to the end, as a share.
    var growth: Double {
        Double(residentAtEnd - residentAfterStart) / Double(max(1, residentAfterStart))
    }

    private func median(_ samples: ArraySlice<ProcessFigures>) -> Int {
        let sorted = samples.map(\.residentKiB).sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

// MARK: - Plots

extension Memory {
    /// Resident memory over time, from nothing to its highest, in one line.
    var line: String {
        let heights = Array("▁▂▃▄▅▆▇█")
        let highest = max(1, samples.map(\.residentKiB).max() ?? 1)
        return String(
            columns(72).map { heights[min(heights.count - 1, $0 * heights.count / (highest + 1))] })
    }

    var svg: String {
        let (width, height, left, bottom) = (720, 240, 60, 30)
        let highest = max(1, samples.map(\.residentKiB).max() ?? 1)
        let points = columns(width).enumerated().map { column, value in
            "\(left + column),\(height - value * (height - 10) / highest)"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(left + width + 10) \(height + bottom)" \
            font-family="sans-serif" font-size="12">
            <path d="M\(left) 0V\(height)H\(left + width)" fill="none" stroke="#888"/>
            <polyline points="\(points.joined(separator: " "))" fill="none" stroke="#06c"/>
            <text x="0" y="14">\(highest / 1024) MiB</text>
            <text x="\(left)" y="\(height + 20)">resident memory of the daemon over \(samples.count) s</text>
            </svg>

            """
    }

    /// The samples, as so many columns.
    private func columns(_ count: Int) -> [Int] {
        guard !samples.isEmpty else { return [] }
        return (0..<count).map { samples[$0 * samples.count / count].residentKiB }
    }
}
