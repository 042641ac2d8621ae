/// A JSON document whose text is the same on every machine: keys stay in the order they were given, and numbers have
/// the decimals they were given.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with so many decimals.
    case fixed(Double, decimals: Int)
    case text(String)
    case list([JSON])
    case object([(key: String, value: JSON)])

    public static func optional<Value>(_ value: Value?, _ json: (Value) -> JSON) -> JSON { value.map(json) ?? .null }

    /// Objects and lists of them over several lines, indented by two spaces; what holds no object on one line.
    public var text: String { text(indent: "") }

    private func text(indent: String) -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .fixed(let value, let decimals): return Format.fixed(value, decimals)
        case .text(let value): return "\"\(Self.escaped(value))\""
        case .list(let values) where !values.contains(where: \.isNested):
            return "[" + values.map { $0.text(indent: "") }.joined(separator: ", ") + "]"
        case .object(let members) where !members.contains(where: \.value.isNested):
            return "{" + members.map { Self.member($0, "") }.joined(separator: ", ") + "}"
        case .list(let values):
            return Self.lines(values.map { $0.text(indent: indent + "  ") }, indent, ("[", "]"))
        case .object(let members):
            return Self.lines(members.map { Self.member($0, indent + "  ") }, indent, ("{", "}"))
        }
    }

    private var isNested: Bool {
        switch self {
        case .object: true
        case .list(let values): values.contains(where: \.isNested)
        default: false
        }
    }

    private static func member(_ member: (key: String, value: JSON), _ indent: String) -> String {
        "\"\(escaped(member.key))\": \(member.value.text(indent: indent))"
    }

    private static func lines(_ lines: [String], _ indent: String, _ brackets: (String, String)) -> String {
        let inner = lines.map { "\(indent)  \($0)" }.joined(separator: ",\n")
        return "\(brackets.0)\n\(inner)\n\(indent)\(brackets.1)"
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
