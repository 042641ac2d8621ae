import Foundation

/// One valid message of `Tests/Vectors`.
struct Vector: Decodable, Sendable {
    let name: String
    let direction: Direction
    let hex: String
    let decoded: [String: JSONValue]
    let canonical: String?

    var record: [UInt8] { bytes(hexadecimal: hex) }
    /// What an encoder writes for the decoded values.
    var canonicalRecord: [UInt8] { bytes(hexadecimal: canonical ?? hex) }

    static let all =
        load([Vector].self, from: "client-to-daemon.json") + load([Vector].self, from: "daemon-to-client.json")
}

/// One record of `Tests/Vectors/malformed.json`.
struct MalformedVector: Decodable, Sendable {
    let name: String
    let direction: Direction
    let hex: String
    let error: String
    let code: UInt16?
    let disconnects: Bool

    var record: [UInt8] { bytes(hexadecimal: hex) }

    static let all = load([MalformedVector].self, from: "malformed.json")
}

enum Direction: String, Decodable, Sendable, CaseIterable {
    case clientToDaemon = "client-to-daemon"
    case daemonToClient = "daemon-to-client"
}

/// A JSON value of the vectors; two are equal if they are the same JSON.
enum JSONValue: Decodable, Equatable, Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case list([JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .list(try container.decode([JSONValue].self))
        }
    }

    /// Integers of 64 bits are decimal strings in the vectors.
    static func wide(_ value: UInt64) -> JSONValue { .text(String(value)) }
}

/// The root of the source tree these tests were built from.
let sourceRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func load<Value: Decodable>(_ type: Value.Type, from file: String) -> Value {
    let url = sourceRoot.appending(path: "Tests/Vectors/\(file)")
    do {
        return try JSONDecoder().decode(type, from: Data(contentsOf: url))
    } catch {
        fatalError("cannot read \(url.path): \(error)")
    }
}

func bytes(hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(digits.count.isMultiple(of: 2))
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
