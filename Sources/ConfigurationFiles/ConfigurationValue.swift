import Arbiter

/// A value as the table of keys knows it.
enum ConfigurationValue: Equatable, Sendable {
    case duration(Nanoseconds)
    case rate(Rate?)
    case share(Share)
    case integer(Int64)
    case choice(String)
    case text(String?)
    case fileMode(UInt32)
}

/// What a key takes, with its bounds.
enum ConfigurationKind: Equatable, Sendable {
    case duration(ClosedRange<Nanoseconds>)
    /// `none` is allowed.
    case optionalRate(ClosedRange<Rate>)
    case share(ClosedRange<Share>)
    case integer(ClosedRange<Int64>)
    case choice([String])
    case path
    /// `none` is allowed.
    case optionalPath
    /// `none` is allowed.
    case optionalGroup
    case fileMode
}

extension ConfigurationKind {
    /// What to write, for a person who wrote something else.
    var expectation: String {
        switch self {
        case .duration(let range):
            "a duration from \"\(DurationText.write(range.lowerBound))\" to \"\(DurationText.write(range.upperBound))\","
                + " a whole number with its unit: ns, us, ms, s, min or h"
        case .optionalRate(let range):
            "a rate from \"\(RateText.write(range.lowerBound))\" to \"\(RateText.write(range.upperBound))\", or \"none\""
        case .share(let range):
            "a share from \"\(ShareText.write(range.lowerBound))\" to \"\(ShareText.write(range.upperBound))\""
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let names): "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
        case .path: "an absolute path"
        case .optionalPath: "an absolute path, or \"none\""
        case .optionalGroup: "the name or number of a group, or \"none\""
        case .fileMode: "a file mode such as \"0660\", of which the owner may read and write"
        }
    }

    /// The value that `text` stands for, or `nil` if it does not fit this kind or lies outside its bounds.
    func parse(_ text: String) -> ConfigurationValue? {
        switch self {
        case .duration(let range):
            return DurationText.parse(text).flatMap { range.contains($0) ? .duration($0) : nil }
        case .optionalRate(let range):
            if text == "none" { return .rate(nil) }
            return RateText.parse(text).flatMap { range.contains($0) ? .rate($0) : nil }
        case .share(let range): return ShareText.parse(text).flatMap { range.contains($0) ? .share($0) : nil }
        case .choice(let names): return names.contains(text) ? .choice(text) : nil
        case .path: return text.hasPrefix("/") ? .text(text) : nil
        case .optionalPath: return text == "none" ? .text(nil) : text.hasPrefix("/") ? .text(text) : nil
        case .optionalGroup: return text.isEmpty ? nil : .text(text == "none" ? nil : text)
        case .fileMode:
            guard text.hasPrefix("0"), let mode = UInt32(text, radix: 8), mode <= 0o777, mode & 0o600 == 0o600 else {
                return nil
            }
            return .fileMode(mode)
        case .integer: return nil
        }
    }

    func parse(_ number: Int64) -> ConfigurationValue? {
        if case .integer(let range) = self, range.contains(number) { return .integer(number) }
        return nil
    }
}

extension ConfigurationValue {
    /// As it stands in a TOML file.
    var toml: String {
        switch self {
        case .duration(let value): "\"\(DurationText.write(value))\""
        case .rate(let value): "\"\(value.map(RateText.write) ?? "none")\""
        case .share(let value): "\"\(ShareText.write(value))\""
        case .integer(let value): "\(value)"
        case .choice(let value): "\"\(value)\""
        case .text(let value): TOMLText.quote(value ?? "none")
        case .fileMode(let value): "\"0\(String(value, radix: 8))\""
        }
    }
}
