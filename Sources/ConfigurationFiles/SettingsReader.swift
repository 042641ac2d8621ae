/// The keys that a part of a file may have.
package struct SettingKeys<Root>: Sendable {
    let byPath: [String: SettingKey<Root>]
    /// In the order of the table.
    package let paths: [String]
    let sections: Set<String>

    package init(_ keys: [SettingKey<Root>]) {
        paths = keys.map(\.path)
        byPath = Dictionary(uniqueKeysWithValues: zip(paths, keys))
        sections = Set(paths.compactMap { path in path.lastIndex(of: ".").map { String(path[..<$0]) } })
    }
}

/// Walks a file's sections, sets what a table of keys knows, and gathers what is wrong.
package struct SettingsReader {
    package let file: String
    /// What stands before each key in the file: empty, or the section above and a point.
    package var place = ""
    package private(set) var problems: [ConfigurationProblem] = []

    package init(file: String) { self.file = file }

    /// Sets the keys of one section; `path` is the section's own, and a point.
    package mutating func set<Root>(
        _ section: TOMLSection, of root: inout Root, _ keys: SettingKeys<Root>, at path: String = ""
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
            return report(path, "unknown section" + (nearest.map { "; did you mean [\(place)\($0)]?" } ?? ""))
        }
        let nearest = NearestKey.to(path, among: keys.paths)
        report(path, "unknown key" + (nearest.map { "; did you mean \(place)\($0)?" } ?? ""))
    }

    package mutating func report(_ key: String, _ message: String) {
        problems.append(
            ConfigurationProblem(file: file, key: (place + key).inOneLine, message: message.inOneLine))
    }

    package mutating func report(_ others: [ConfigurationProblem]) { problems += others }

    package func throwProblems() throws(ConfigurationError) {
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }
}
