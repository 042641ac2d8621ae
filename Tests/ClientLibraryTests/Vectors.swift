import Foundation

/// One message of `Tests/Vectors`, as `README.md` there describes it.
struct Vector {
    let name: String
    let record: [UInt8]
    /// What an encoder writes for the decoded values.
    let canonical: [UInt8]
    let isFromClient: Bool
    let decoded: [String: any Sendable]

    static let valid = load("client-to-daemon") + load("daemon-to-client")
    static let malformed = load("malformed")

    func number<Value: FixedWidthInteger>(_ field: String) -> Value {
        switch decoded[field] {
        case let text as String: Value(text)!
        case let number as Int64: Value(number)
        case let flag as Bool: flag ? 1 : 0
        default: fatalError("\(name) has no \(field)")
        }
    }

    func text(_ field: String) -> String { decoded[field] as! String }

    var tags: [UInt64] { (decoded["tags"] as! [String]).map { UInt64($0)! } }

    private static func load(_ file: String) -> [Vector] {
        let url = sourceRoot.appending(path: "Tests/Vectors/\(file).json")
        let entries = try! JSONDecoder().decode([Entry].self, from: Data(contentsOf: url))
        return entries.map { entry in
            Vector(
                name: entry.name, record: bytes(hexadecimal: entry.hex),
                canonical: bytes(hexadecimal: entry.canonical ?? entry.hex),
                isFromClient: entry.direction == "client-to-daemon", decoded: (entry.decoded ?? [:]).mapValues(\.value))
        }
    }
}

private struct Entry: Decodable {
    let name: String
    let direction: String
    let hex: String
    let canonical: String?
    let decoded: [String: Field]?
}

private struct Field: Decodable {
    let value: any Sendable

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            value = flag
        } else if let number = try? container.decode(Int64.self) {
            value = number
        } else if let list = try? container.decode([String].self) {
            value = list
        } else {
            value = try container.decode(String.self)
        }
    }
}

let sourceRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

func bytes(hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
