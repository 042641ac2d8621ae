import Arbiter

/// A value as a table of keys knows it.
package enum ConfigurationValue: Equatable, Sendable {
    case duration(Nanoseconds)
    case rate(Rate?)
    case share(Share)
    case integer(Int64)
    case optionalInteger(Int64?)
    /// Of users or groups, or their numbers.
    case names([String])
    /// In thousandths.
    case decimal(Int64)
    case choice(String)
    case text(String?)
    case fileMode(UInt32)
}

/// What a key takes, with its bounds.
package enum ConfigurationKind: Equatable, Sendable {
    case duration(ClosedRange<Nanoseconds>)
    /// `none` is allowed.
    case optionalRate(ClosedRange<Rate>)
    case share(ClosedRange<Share>)
    case integer(ClosedRange<Int64>)
    /// `none` is allowed.
    case optionalInteger(ClosedRange<Int64>)
    /// A list of names or numbers of users or groups.
    case names
    /// A number with at most three decimals; the range is in thousandths.
    case decimal(ClosedRange<Int64>)
    case choice([String])
    /// One of these words, or a rate.
    case choiceOrRate([String], ClosedRange<Rate>)
    /// Letters, digits, `-` and `_`, beginning with a letter; at most so many.
    case word(lengthMax: Int)
    case path
    /// `none` is allowed.
    case optionalPath
    /// `none` is allowed.
    case optionalGroup
    case fileMode
}

extension ConfigurationKind {
    /// What to write, for a person who wrote something else.
    package var expectation: String {
        if case .duration = self { bounds + ", a whole number with its unit: ns, us, ms, s, min or h" } else { bounds }
    }

    /// The same for a person who knows how values are written.
    package var bounds: String {
        switch self {
        case .duration(let range):
            "a duration from \"\(DurationText.write(range.lowerBound))\" to \"\(DurationText.write(range.upperBound))\""
        case .optionalRate(let range):
            "a rate from \"\(RateText.write(range.lowerBound))\" to \"\(RateText.write(range.upperBound))\", or \"none\""
        case .share(let range):
            "a share from \"\(ShareText.write(range.lowerBound))\" to \"\(ShareText.write(range.upperBound))\""
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .optionalInteger(let range):
            "a whole number from \(range.lowerBound) to \(range.upperBound), or \"none\""
        case .names:
            "a list of at most \(ConfigurationLimits.policyMembers) names or numbers, such as [\"qemu\", \"1000\"]"
        case .decimal(let range):
            "a number from \(DecimalText.write(thousandths: range.lowerBound)) to"
                + " \(DecimalText.write(thousandths: range.upperBound)), with at most three decimals"
        case .choice(let names): "one of " + Self.list(names)
        case .choiceOrRate(let names, let range):
            "one of \(Self.list(names)), or a rate from \"\(RateText.write(range.lowerBound))\" to"
                + " \"\(RateText.write(range.upperBound))\""
        case .word(let lengthMax):
            "a word of at most \(lengthMax) letters, digits, '_' and '-', the first of them a letter"
        case .path: "an absolute path"
        case .optionalPath: "an absolute path, or \"none\""
        case .optionalGroup: "the name or number of a group, or \"none\""
        case .fileMode: "a file mode such as \"0660\", of which the owner may read and write"
        }
    }

    private static func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }

    /// What stands in the file as a value of this kind, or `nil` if it is none or lies outside its bounds.
    package func parse(_ value: TOMLValue) -> ConfigurationValue? {
        switch value {
        case .text(let text): parse(text)
        case .integer(let number): parse(Int64(number))
        case .decimal(let number): parse(number)
        case .list(let members): parse(members)
        case .truth, .section, .time: nil
        }
    }

    /// Numbers may stand without quotes.
    private func parse(_ members: [TOMLValue]) -> ConfigurationValue? {
        guard self == .names, members.count <= ConfigurationLimits.policyMembers else { return nil }
        var names: [String] = []
        for member in members {
            switch member {
            case .text(let name) where Self.isAccountName(name): names.append(name)
            case .integer(let number) where UInt32(exactly: number) != nil: names.append("\(number)")
            default: return nil
            }
        }
        return .names(names)
    }

    /// Of a user or group: no white space and nothing that would need quoting in a message.
    private static func isAccountName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }

    func parse(_ text: String) -> ConfigurationValue? {
        switch self {
        case .duration(let range):
            return DurationText.parse(text).flatMap { range.contains($0) ? .duration($0) : nil }
        case .optionalRate(let range):
            if text == "none" { return .rate(nil) }
            return RateText.parse(text).flatMap { range.contains($0) ? .rate($0) : nil }
        case .share(let range): return ShareText.parse(text).flatMap { range.contains($0) ? .share($0) : nil }
        case .choice(let names): return names.contains(text) ? .choice(text) : nil
        case .choiceOrRate(let names, let range):
            if names.contains(text) { return .choice(text) }
            return RateText.parse(text).flatMap { range.contains($0) ? .rate($0) : nil }
        case .word(let lengthMax): return Self.isWord(text) && text.utf8.count <= lengthMax ? .text(text) : nil
        case .path: return text.hasPrefix("/") ? .text(text) : nil
        case .optionalPath: return text == "none" ? .text(nil) : text.hasPrefix("/") ? .text(text) : nil
        case .optionalGroup: return text.isEmpty ? nil : .text(text == "none" ? nil : text)
        case .fileMode:
            guard text.hasPrefix("0"), let mode = UInt32(text, radix: 8), mode <= 0o777, mode & 0o600 == 0o600 else {
                return nil
            }
            return .fileMode(mode)
        case .optionalInteger: return text == "none" ? .optionalInteger(nil) : nil
        case .integer, .decimal, .names: return nil
        }
    }

    func parse(_ number: Int64) -> ConfigurationValue? {
        switch self {
        case .integer(let range) where range.contains(number): return .integer(number)
        case .optionalInteger(let range) where range.contains(number): return .optionalInteger(number)
        case .decimal(let range):
            let (thousandths, overflows) = number.multipliedReportingOverflow(by: 1_000)
            return !overflows && range.contains(thousandths) ? .decimal(thousandths) : nil
        default: return nil
        }
    }

    /// A decimal whose shortest text has at most three digits behind the point is meant as that text.
    private func parse(_ number: Double) -> ConfigurationValue? {
        guard case .decimal(let range) = self, let thousandths = DecimalText.thousandths("\(number)"),
            range.contains(thousandths)
        else { return nil }
        return .decimal(thousandths)
    }

    private static func isWord(_ text: String) -> Bool {
        let isFirstALetter = text.utf8.first.map { ($0 | 0x20) &- UInt8(ascii: "a") < 26 } ?? false
        return isFirstALetter
            && text.utf8.allSatisfy { byte in
                (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}

extension ConfigurationValue {
    /// As it stands in a TOML file.
    package var toml: String {
        switch self {
        case .integer, .decimal, .names, .optionalInteger(.some): text
        case .optionalInteger(.none), .duration, .rate, .share, .choice, .text, .fileMode: TOMLText.quote(text)
        }
    }

    /// Without the quotes of a file.
    package var text: String {
        switch self {
        case .duration(let value): DurationText.write(value)
        case .rate(let value): value.map(RateText.write) ?? "none"
        case .share(let value): ShareText.write(value)
        case .integer(let value): "\(value)"
        case .optionalInteger(let value): value.map { "\($0)" } ?? "none"
        case .names(let names): "[" + names.map(TOMLText.quote).joined(separator: ", ") + "]"
        case .decimal(let value): DecimalText.write(thousandths: value)
        case .choice(let value): value
        case .text(let value): value ?? "none"
        case .fileMode(let value): "0\(String(value, radix: 8))"
        }
    }
}
