/// The keys that a part of a file may have, by their full paths.
package struct SettingKeys<Root>: Sendable {
    let byPath: [String: SettingKey<Root>]
    /// In the order of the table.
    let paths: [String]
    let sections: Set<String>

    /// `path` stands before each key's own: empty, or the section above and a point.
    package init(_ keys: [SettingKey<Root>], at path: String) {
        paths = keys.map { path + $0.path }
        byPath = Dictionary(uniqueKeysWithValues: zip(paths, keys))
        sections = Set(paths.compactMap { path in path.lastIndex(of: ".").map { String(path[..<$0]) } })
    }
}

/// Walks a file's sections, sets what a table of keys knows, and gathers what is wrong.
package struct SettingsReader {
    let file: String
    package var problems: [ConfigurationProblem] = []

    package init(file: String) { self.file = file }

    /// Sets the keys of one section; `path` is the section's own, and a point.
    package mutating func set<Root>(
        _ section: TOMLSection, of root: inout Root, _ keys: SettingKeys<Root>, at path: String
    ) {
        for entry in section.entries {
            guard let key = keys.byPath[path + entry.name] else {
                reportUnknown(path + entry.name, entry.value, keys)
                continue
            }
            guard let value = key.kind.parse(entry.value) else {
                report(path + entry.name, "expected \(key.kind.expectation); found \(entry.value.found)")
                continue
            }
            key.write(&root, value)
        }
    }

    package mutating func reportUnknown<Root>(_ path: String, _ value: TOMLValue, _ keys: SettingKeys<Root>) {
        if case .section = value, !keys.sections.isEmpty {
            let nearest = NearestKey.to(path, among: keys.sections.sorted())
            return report(path, "unknown section" + (nearest.map { "; did you mean [\($0)]?" } ?? ""))
        }
        report(path, "unknown key" + (NearestKey.to(path, among: keys.paths).map { "; did you mean \($0)?" } ?? ""))
    }

    package mutating func report(_ key: String, _ message: String) {
        problems.append(ConfigurationProblem(file: file, key: key.inOneLine, message: message.inOneLine))
    }

    package func throwProblems() throws(ConfigurationError) {
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }
}
