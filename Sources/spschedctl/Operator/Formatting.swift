import FoundationEssentials
import Reporting

extension Format {
    /// A document for programs: keys sorted, several lines.
    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("values of texts and finite numbers can always be written as JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
