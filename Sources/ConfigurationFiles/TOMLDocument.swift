import LinuxIO
internal import TOMLKit

/// A TOML file as values, free of its parser.
package enum TOMLDocument {
    /// A complete configuration with comments has some 8 KiB.
    static let bytesMax = 1 << 20

    package static func read(_ file: String) throws(ConfigurationError) -> String {
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
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> TOMLSection {
        // The parser would take it for the end, and what follows for absent.
        guard !text.utf8.contains(0) else {
            throw ConfigurationError(.init(file: file, message: "holds a zero byte: it is not text"))
        }
        if let problem = SectionLines.firstWithoutName(in: text, file: file) { throw ConfigurationError(problem) }
        if let problem = DatesAndTimes.first(in: text, file: file) { throw ConfigurationError(problem) }
        do {
            return TOMLSection(try TOMLTable(string: text))
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
    }

    package let entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }
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
    fileprivate init(_ table: TOMLTable) {
        entries = table.keys.compactMap { name in table[name].map { Entry(name: name, value: TOMLValue($0)) } }
    }
}

extension TOMLValue {
    fileprivate init(_ value: any TOMLValueConvertible) {
        switch value.type {
        case .string: self = .text(value.string ?? "")
        case .int: self = .integer(value.int ?? 0)
        case .double: self = .decimal(value.double ?? 0)
        case .bool: self = .truth(value.bool == true)
        case .array: self = .list(value.array?.map { TOMLValue($0) } ?? [])
        case .table: self = .section(value.table.map { TOMLSection($0) } ?? TOMLSection(entries: []))
        case .date, .time, .dateTime: self = .time
        }
    }
}
