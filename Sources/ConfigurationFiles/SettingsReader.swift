import LinuxIO

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
    /// The one that is being read.
    package var file: String
    /// What stands before each key in the file: empty, or the section above and a point.
    package var place = ""
    package private(set) var problems: [ConfigurationProblem] = []
    /// What may have been meant by the key of a problem, by its place among them. Looked for only where it is told: a
    /// file may hold 100,000 keys that are none.
    private var suggestions: [Int: () -> String?] = [:]
    /// Where each key was written that has been looked at, the last and decisive place last.
    package private(set) var origins: [String: [ConfigurationOrigin]] = [:]

    package init(file: String) { self.file = file }

    /// Sets the keys of one section; `path` is the section's own, and a point.
    package mutating func set<Root>(
        _ section: TOMLSection, of root: inout Root, _ keys: SettingKeys<Root>, at path: String = ""
    ) {
        for entry in section.entries {
            note(path + entry.name, entry.line)
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
        let place = place
        if case .section = value, !keys.sections.isEmpty {
            let sections = keys.sections
            return report(path, "unknown section") {
                let known = sections.sorted() + (sections.contains("account") ? [PolicySettings.section] : [])
                return NearestKey.to(path, among: known).map { "; did you mean [\(place)\($0)]?" }
            }
        }
        let known = keys.paths
        report(path, "unknown key") { NearestKey.to(path, among: known).map { "; did you mean \(place)\($0)?" } }
    }

    /// - Parameter suggestion: what follows the message. Asked for only if the problem is told.
    package mutating func report(_ key: String, _ message: String, suggestion: @escaping () -> String?) {
        suggestions[problems.count] = suggestion
        report(key, message)
    }

    /// Remembers on which line a key stands.
    package mutating func note(_ key: String, _ line: Int?) {
        guard let line else { return }
        origins[place + key, default: []].append(ConfigurationOrigin(file: file, line: line))
    }

    /// - Parameter other: the key on whose line the mistake is, where `key` has none.
    package mutating func report(_ key: String, _ message: String, orAt other: String? = nil) {
        let origin = origins[place + key]?.last ?? other.flatMap { origins[place + $0]?.last }
        problems.append(
            ConfigurationProblem(
                file: origin?.file ?? file, line: origin?.line, key: (place + key).quotable.inOneLine,
                message: message.inOneLine))
    }

    package mutating func report(_ others: [ConfigurationProblem]) { problems += others }

    package func throwProblems() throws(ConfigurationError) {
        guard !problems.isEmpty else { return }
        var told = inOrder(problems).prefix(ConfigurationLimits.problems).map { place in
            var problem = problems[place]
            problem.message += suggestions[place]?().map(\.inOneLine) ?? ""
            return problem
        }
        if told.count < problems.count {
            told.append(ConfigurationProblem(file: file, message: "and \(problems.count - told.count) more mistakes"))
        }
        throw ConfigurationError(problems: told)
    }

    /// Their places, as somebody meets them who goes through one file after the other; where no line is known, at the
    /// end.
    private func inOrder(_ problems: [ConfigurationProblem]) -> [Int] {
        var files: [String: Int] = [:]
        for problem in problems where files[problem.file] == nil { files[problem.file] = files.count }
        return problems.enumerated().sorted {
            let (left, right) = ($0.element, $1.element)
            return (files[left.file] ?? 0, left.line ?? .max, $0.offset)
                < (files[right.file] ?? 0, right.line ?? .max, $1.offset)
        }.map(\.offset)
    }
}
