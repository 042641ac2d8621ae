import Foundation

/// `docs/protocol.md` as a stranger reads it: headings, tables and byte dumps.
struct ProtocolDocument {
    /// The rows of each section's tables without their head, by the section's heading.
    private let rows: [String: [[String]]]
    let dumps: [Dump]
    /// The message sections: type and name from a heading such as `ACQUIRE (0x0004)`.
    let messageSections: [(name: String, type: UInt16, heading: String)]

    /// One record of a worked example.
    struct Dump {
        let direction: Direction
        let name: String
        let tag: UInt64
        var record: [UInt8] = []
    }

    init() throws {
        let text = try String(contentsOf: sourceRoot.appending(path: "docs/protocol.md"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        rows = Self.rows(in: lines)
        dumps = try Self.dumps(in: lines)
        messageSections = rows.keys.compactMap { heading in
            guard let match = heading.wholeMatch(of: /([A-Z_]+) \(0x([0-9A-F]{4})\)/) else { return nil }
            return (String(match.1), UInt16(match.2, radix: 16)!, heading)
        }
    }

    /// The table rows below a heading, up to the next; cells without back-ticks.
    func table(_ heading: String) -> [[String]] { rows[heading] ?? [] }

    private static func rows(in lines: [String]) -> [String: [[String]]] {
        var rows: [String: [[String]]] = [:]
        var heading = ""
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("#") {
                heading = String(line.drop { $0 == "#" }.dropFirst())
                rows[heading] = []
            }
            let isHead = index + 1 < lines.count && lines[index + 1].hasPrefix("|---")
            guard line.hasPrefix("| "), !isHead else { continue }
            let cells = line.dropFirst(2).split(separator: " |", omittingEmptySubsequences: false).dropLast()
            rows[heading]!.append(cells.map { $0.trimmingCharacters(in: .whitespaces).replacing("`", with: "") })
        }
        return rows
    }

    private static func dumps(in lines: [String]) throws -> [Dump] {
        var dumps: [Dump] = []
        for line in lines {
            if let match = line.prefixMatch(of: /([<>]) ([A-Z_]+), tag ([0-9]+)/) {
                dumps.append(
                    Dump(
                        direction: match.1 == ">" ? .clientToDaemon : .daemonToClient, name: String(match.2),
                        tag: UInt64(match.3)!))
            } else if line.wholeMatch(of: /[ ]{2}[0-9a-f ]+/) != nil, !dumps.isEmpty {
                dumps[dumps.count - 1].record += bytes(hexadecimal: line)
            }
        }
        return dumps
    }
}

/// A decoder that knows nothing but the tables of `docs/protocol.md`.
struct DocumentedDecoder {
    let document: ProtocolDocument

    /// The fields of a valid record, as the golden vectors write them.
    func fields(of record: [UInt8]) -> [String: JSONValue]? {
        let type = UInt16(integer(record, 0, 2))
        guard let section = document.messageSections.first(where: { $0.type == type }) else { return nil }
        var fields: [String: JSONValue] = ["type": .text(section.name), "tag": .wide(integer(record, 8, 8))]
        var lengths: [String: Int] = [:]
        for row in document.table(section.heading) {
            let (offset, type, name, meaning) = (Int(row[0])!, row[1], row[2], row[3])
            switch name {
            case "reserved": break
            case "flags":
                for match in meaning.matches(of: /[Bb]it ([0-9]) ([a-z_]+)/) {
                    fields[String(match.2)] = .flag(record[offset] >> UInt8(match.1)! & 1 == 1)
                }
            case "text_length", "count": lengths[name] = Int(integer(record, offset, type == "u16" ? 2 : 4))
            default: fields[name] = value(record, offset, type, name, lengths)
            }
        }
        return fields
    }

    private func value(
        _ record: [UInt8], _ offset: Int, _ type: String, _ name: String, _ lengths: [String: Int]
    ) -> JSONValue {
        switch type {
        case "u8": return .number(name == "draining" && record[offset] != 0 ? 1 : Int64(record[offset]))
        case "u16": return .number(Int64(integer(record, offset, 2)))
        case "u32": return .number(Int64(integer(record, offset, 4)))
        case "i32": return .number(Int64(Int32(truncatingIfNeeded: integer(record, offset, 4))))
        case "u64":
            let value = integer(record, offset, 8)
            return .wide(name.hasSuffix("_ns") ? min(value, 1 << 61) : value)
        case "u8[16]":
            let digits = record[offset..<offset + 16].map { String(format: "%02x", $0) }.joined()
            return .text(name == "uuid" ? UUID(hexadecimal: digits).uuidString.lowercased() : digits)
        case "char[64]": return .text(String(decoding: record[offset..<offset + 64].prefix { $0 != 0 }, as: UTF8.self))
        case "char[text_length]":
            return .text(String(decoding: record[offset..<offset + lengths["text_length"]!], as: UTF8.self))
        case "u64[count]":
            return .list((0..<lengths["count"]!).map { .wide(integer(record, offset + 8 * $0, 8)) })
        default: return .text("the document uses the type \(type), which it does not explain")
        }
    }

    private func integer(_ record: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
        record[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension UUID {
    fileprivate init(hexadecimal digits: String) {
        var text = digits
        for position in [20, 16, 12, 8] {
            text.insert("-", at: text.index(text.startIndex, offsetBy: position))
        }
        self.init(uuidString: text)!
    }
}
