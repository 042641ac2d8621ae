import FoundationEssentials
import Reporting

extension Format {
    /// A document for programs: keys sorted, several lines.
    static func json(_ value: some Encodable) -> String { json(value, .prettyPrinted) }

    /// The same on one line.
    static func jsonLine(_ value: some Encodable) -> String { json(value, []) }

    private static func json(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, formatting]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("values of texts and finite numbers can always be written as JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
