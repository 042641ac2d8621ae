/// Where a setting was written.
public struct ConfigurationOrigin: Equatable, Sendable, CustomStringConvertible {
    public let file: String
    public let line: Int

    public var description: String { "\(file):\(line)" }
}

/// One thing that is wrong with the configuration, in a form that leads to its repair.
public struct ConfigurationProblem: Error, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int?
    /// Known for what is wrong with the text; a key is found by its line.
    public var column: Int?
    /// The full path of the key, where the problem is with one.
    public var key: String?
    public var message: String

    package init(file: String, line: Int? = nil, column: Int? = nil, key: String? = nil, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
    }

    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let column { text += ":\(column)" }
        if let key { text += ": \(key)" }
        return text + ": " + message
    }
}

/// Everything that is wrong with the configuration, so that one look repairs it all.
public struct ConfigurationError: Error, CustomStringConvertible {
    public let problems: [ConfigurationProblem]

    package init(problems: [ConfigurationProblem]) { self.problems = problems }
    package init(_ problem: ConfigurationProblem) { self.init(problems: [problem]) }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

package enum NearestKey {
    /// The known key that `written` was most likely meant to be, or `nil` if none is near.
    package static func to(_ written: String, among known: [String]) -> String? {
        guard written.utf8.count <= ConfigurationLimits.keyLength else { return nil }
        let name = written.split(separator: ".").last.map(String.init) ?? written
        // The right name in the wrong section is a likelier mistake than many typing errors.
        if let elsewhere = known.first(where: { $0.hasSuffix(".\(name)") }) { return elsewhere }
        let nearest = known.map { ($0, editDistance(written, $0)) }.min { $0.1 < $1.1 }
        guard let (key, distance) = nearest, distance <= max(2, written.count / 3) else { return nil }
        return key
    }

    /// How many letters must be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment).
    static func editDistance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}

extension String {
    /// The beginning of it, if it is longer than any key.
    var quotable: String {
        count > ConfigurationLimits.keyLength ? "\(prefix(ConfigurationLimits.keyLength))…" : self
    }
}
