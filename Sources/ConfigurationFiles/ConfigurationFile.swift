import Arbiter
import LinuxIO
internal import TOMLKit

/// Reads a configuration file. Every mistake in it is reported, not only the first.
public enum ConfigurationFile {
    public static let defaultPath = "/etc/spschedd/spschedd.toml"
    /// A complete file with comments has some 8 KiB.
    static let bytesMax = 1 << 20

    /// The configuration in the file at `path`. Without a path: the file at `defaultPath` if there is one, else the
    /// defaults.
    public static func load(_ path: String?) throws(ConfigurationError) -> DaemonConfiguration {
        let file = path ?? defaultPath
        if path == nil, (try? FileKind.ofPath(file)) == nil { return DaemonConfiguration() }
        return try parse(try read(file), file: file)
    }

    private static func read(_ file: String) throws(ConfigurationError) -> String {
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.openReadOnly(file).read(atMost: bytesMax + 1)
        } catch {
            let reason = SystemError.sentence(for: error.code)
            throw ConfigurationError(.init(file: file, message: "could not be read: \(reason)"))
        }
        guard bytes.count <= bytesMax else {
            throw ConfigurationError(.init(file: file, message: "is larger than \(bytesMax) bytes"))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(.init(file: file, message: "is not UTF-8 text"))
        }
        return text
    }

    /// `file` is how messages call it.
    public static func parse(_ text: String, file: String) throws(ConfigurationError) -> DaemonConfiguration {
        // The parser would take it for the end, and what follows for absent.
        guard !text.utf8.contains(0) else {
            throw ConfigurationError(.init(file: file, message: "holds a zero byte: it is not text"))
        }
        if let problem = SectionLines.firstWithoutName(in: text, file: file) { throw ConfigurationError(problem) }
        if let problem = DatesAndTimes.first(in: text, file: file) { throw ConfigurationError(problem) }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let start = error.source.begin
            throw ConfigurationError(
                .init(file: file, line: start.line, column: start.column, message: oneLine(error.description)))
        } catch {
            throw ConfigurationError(.init(file: file, message: "\(error)"))
        }
        var reader = ConfigurationReader(file: file)
        reader.read(table)
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }
        return reader.configuration
    }

    /// The parser quotes what it saw, which may be a line's end or another control character.
    private static func oneLine(_ sentence: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in sentence.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                scalars.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
            } else {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

extension ConfigurationError {
    init(_ problem: ConfigurationProblem) { self.init(problems: [problem]) }
}

/// Walks the parsed tables and sets what the table of keys knows.
private struct ConfigurationReader {
    let file: String
    var configuration = DaemonConfiguration()
    var problems: [ConfigurationProblem] = []

    private static let keys = Dictionary(uniqueKeysWithValues: ConfigurationKey.all.map { ($0.path, $0) })
    private static let sections = Set(ConfigurationKey.all.map(\.section))

    init(file: String) { self.file = file }

    mutating func read(_ root: TOMLTable) {
        for section in root.keys {
            guard let value = root[section] else { continue }
            guard Self.sections.contains(section) else {
                report(section, unknown(section, isSection: value.type == .table))
                continue
            }
            guard let table = value.table else {
                report(section, "is a section: write [\(section)] on a line of its own, and its keys below")
                continue
            }
            for name in table.keys { if let value = table[name] { set("\(section).\(name)", to: value) } }
        }
        problems += configuration.contradictions(file: file)
    }

    private mutating func set(_ path: String, to value: any TOMLValueConvertible) {
        guard let key = Self.keys[path] else {
            report(path, unknown(path, isSection: false))
            return
        }
        let parsed = value.string.flatMap { key.kind.parse($0) } ?? value.int.flatMap { key.kind.parse(Int64($0)) }
        guard let parsed else {
            report(path, "expected \(key.kind.expectation); found \(value.found)")
            return
        }
        key.write(&configuration, parsed)
    }

    private mutating func report(_ key: String, _ message: String) {
        problems.append(ConfigurationProblem(file: file, key: key, message: message))
    }

    private func unknown(_ path: String, isSection: Bool) -> String {
        if isSection {
            let nearest = NearestKey.to(path, among: Self.sections.sorted())
            return "unknown section" + (nearest.map { "; did you mean [\($0)]?" } ?? "")
        }
        return "unknown key"
            + (NearestKey.to(path, among: ConfigurationKey.all.map(\.path)).map { "; did you mean \($0)?" } ?? "")
    }
}

extension TOMLValueConvertible {
    /// What stands in the file, for a message.
    fileprivate var found: String {
        switch type {
        case .string: "the text \(TOMLText.quote(String((string ?? "").prefix(80))))"
        case .int: "the number \(int ?? 0)"
        case .double: "the number \(double ?? 0)"
        case .bool: bool == true ? "true" : "false"
        case .table: "a section"
        case .array: "a list"
        case .date, .time, .dateTime: "a date or time"
        }
    }
}
