import LinuxIO
internal import TOMLKit

/// A TOML file as values, free of its parser.
package enum TOMLDocument {
    /// The text of a regular file; of `/dev/null`, no text.
    package static func read(_ file: String) throws(ConfigurationError) -> String {
        let bytes: [UInt8]
        do {
            let descriptor = try FileDescriptor.openReadOnly(file)
            try checkKind(try descriptor.kind(), file)
            bytes = try descriptor.read(atMost: ConfigurationLimits.fileBytes + 1)
        } catch let error as SystemError {
            // A socket cannot even be opened.
            if let kind = try? FileKind.ofPath(file) { try checkKind(kind, file) }
            throw problem(file, "could not be read: \(SystemError.sentence(for: error.code))")
        } catch {
            throw error as? ConfigurationError ?? problem(file, "\(error)")
        }
        guard bytes.count <= ConfigurationLimits.fileBytes else {
            throw problem(file, "is larger than \(ConfigurationLimits.fileBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw problem(file, "is not UTF-8 text") }
        return text
    }

    private static func checkKind(_ kind: FileKind, _ file: String) throws(ConfigurationError) {
        guard kind != .regular, !(kind == .characterDevice && isNull(file)) else { return }
        throw problem(file, "is \(kind.words): give the path of a regular file")
    }

    /// Whether this is the empty file of all systems, by whatever name.
    package static func isNull(_ file: String) -> Bool { FilePath.resolved(file) == "/dev/null" }

    private static func problem(_ file: String, _ message: String) -> ConfigurationError {
        ConfigurationError(ConfigurationProblem(file: file, message: message))
    }

    /// `file` is how messages call it.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> TOMLSection {
        // The parser would take it for the end, and what follows for absent.
        guard !text.utf8.contains(0) else {
            throw ConfigurationError(.init(file: file, message: "holds a zero byte: it is not text"))
        }
        if let problem = Nesting.firstTooDeep(in: text, file: file) { throw ConfigurationError(problem) }
        if let problem = SectionLines.firstWithoutName(in: text, file: file) { throw ConfigurationError(problem) }
        if let problem = DatesAndTimes.first(in: text, file: file) { throw ConfigurationError(problem) }
        do {
            let table = try TOMLTable(string: text)
            return TOMLSection(table, KeyPlaces(text), KeyPlaces.file)
        } catch let error as TOMLParseError {
            let start = error.source.begin
            throw ConfigurationError(
                .init(file: file, line: start.line, column: start.column, message: error.description.inOneLine))
        } catch {
            throw ConfigurationError(.init(file: file, message: "\(error)"))
        }
    }
}

/// One section: its keys, by name.
package struct TOMLSection: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package let name: String
        package let value: TOMLValue
        /// Where its key stands.
        package let line: Int?
    }

    package let entries: [Entry]
    /// Where it begins.
    package let line: Int?

    package init(entries: [Entry], line: Int? = nil) {
        self.entries = entries
        self.line = line
    }
}

package enum TOMLValue: Equatable, Sendable {
    case text(String)
    case integer(Int)
    case decimal(Double)
    case truth(Bool)
    case list([TOMLValue])
    case section(TOMLSection)
    /// A date or time; what it says is of no use to anybody here.
    case time
}

extension TOMLValue {
    /// What stands in the file, for a message.
    package var found: String {
        switch self {
        case .text(let text): "the text \(TOMLText.quote(String(text.prefix(80))))"
        case .integer(let number): "the number \(number)"
        case .decimal(let number): "the number \(number)"
        case .truth(let value): "\(value)"
        case .list: "a list"
        case .section: "a section"
        case .time: "a date or time"
        }
    }
}

// MARK: - From the parser's own types

extension TOMLSection {
    fileprivate init(_ table: TOMLTable, _ places: KeyPlaces, _ node: Int?) {
        entries = table.keys.compactMap { name in
            guard let value = table[name] else { return nil }
            let place = places.child(of: node, name)
            return Entry(name: name, value: TOMLValue(value, places, place), line: places.line(of: place))
        }
        line = places.line(of: node)
    }
}

extension TOMLValue {
    fileprivate init(_ value: any TOMLValueConvertible, _ places: KeyPlaces, _ node: Int?) {
        switch value.type {
        case .string: self = .text(value.string ?? "")
        case .int: self = .integer(value.int ?? 0)
        case .double: self = .decimal(value.double ?? 0)
        case .bool: self = .truth(value.bool == true)
        case .array:
            let members = value.array.map { Array($0) } ?? []
            self = .list(members.enumerated().map { TOMLValue($1, places, places.member(of: node, $0)) })
        case .table:
            self = .section(value.table.map { TOMLSection($0, places, node) } ?? TOMLSection(entries: []))
        case .date, .time, .dateTime: self = .time
        }
    }
}
