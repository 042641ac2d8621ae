import Arbiter

/// One setting: how it is written, what it may be, and why it is there. The parser, `--check-config` and the manual
/// read tables of these and nothing else.
package struct SettingKey<Root>: Sendable {
    /// Sections and name: `arbiter.chunk_pages`.
    package let path: String
    package let kind: ConfigurationKind
    /// What it is for, in one sentence.
    package let reason: String
    /// What a number counts; empty where its text has a unit.
    package private(set) var unit = ""
    package private(set) var effect = SettingEffect.atOnce
    package let read: @Sendable (Root) -> ConfigurationValue
    /// The value must be one that `kind` parsed.
    package let write: @Sendable (inout Root, ConfigurationValue) -> Void

    package init(
        path: String, kind: ConfigurationKind, reason: String, read: @escaping @Sendable (Root) -> ConfigurationValue,
        write: @escaping @Sendable (inout Root, ConfigurationValue) -> Void
    ) {
        self.path = path
        self.kind = kind
        self.reason = reason
        self.read = read
        self.write = write
    }
}

/// From when on another value counts after a reload.
public enum SettingEffect: Equatable, Sendable {
    case atOnce
    /// A VM's level of service is what it was when it registered.
    case newRegistrations
    case newLaunches
    case newConnections
    /// Not before the daemon is started again.
    case restart

    /// As a sentence of the manual.
    package var sentence: String {
        switch self {
        case .atOnce: "A reload applies it at once."
        case .newRegistrations: "A reload applies it to VMs that register from then on."
        case .newLaunches: "A reload applies it to launches that begin from then on."
        case .newConnections: "A reload applies it to connections that are made from then on."
        case .restart: "Applies when the daemon is started again; a reload does not change it."
        }
    }
}

extension SettingKey {
    package func counting(_ unit: String) -> Self {
        var key = self
        key.unit = unit
        return key
    }

    package func from(_ effect: SettingEffect) -> Self {
        var key = self
        key.effect = effect
        return key
    }

    /// A settable place of a type.
    package typealias Place<Value> = any WritableKeyPath<Root, Value> & Sendable

    package static func duration(
        _ path: String, _ place: Place<Nanoseconds>, _ range: ClosedRange<Nanoseconds>, _ reason: String
    ) -> Self {
        Self(path: path, kind: .duration(range), reason: reason, read: { .duration($0[keyPath: place]) }) {
            if case .duration(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func integer(
        _ path: String, _ place: Place<Int64>, _ range: ClosedRange<Int64>, _ reason: String
    ) -> Self {
        Self(path: path, kind: .integer(range), reason: reason, read: { .integer($0[keyPath: place]) }) {
            if case .integer(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func pages(
        _ path: String, _ place: Place<UInt32>, _ range: ClosedRange<Int64>, _ reason: String
    ) -> Self {
        Self(path: path, kind: .integer(range), reason: reason, read: { .integer(Int64($0[keyPath: place])) }) {
            if case .integer(let value) = $1 { $0[keyPath: place] = UInt32(value) }
        }
    }

    package static func optionalRate(
        _ path: String, _ place: Place<Rate?>, _ range: ClosedRange<Rate>, _ reason: String
    ) -> Self {
        Self(path: path, kind: .optionalRate(range), reason: reason, read: { .rate($0[keyPath: place]) }) {
            if case .rate(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ path: String, _ place: Place<Choice>, _ reason: String
    ) -> Self {
        Self(
            path: path, kind: .choice(Choice.allCases.map(\.rawValue)), reason: reason,
            read: { .choice($0[keyPath: place].rawValue) }
        ) {
            if case .choice(let name) = $1, let value = Choice(rawValue: name) { $0[keyPath: place] = value }
        }
    }

    package static func word(
        _ path: String, _ place: Place<String>, lengthMax: Int, _ reason: String
    ) -> Self {
        Self(path: path, kind: .word(lengthMax: lengthMax), reason: reason, read: { .text($0[keyPath: place]) }) {
            if case .text(let value?) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func decimal(
        _ path: String, thousandths place: Place<Int64>, _ range: ClosedRange<Int64>, _ reason: String
    ) -> Self {
        Self(path: path, kind: .decimal(range), reason: reason, read: { .decimal($0[keyPath: place]) }) {
            if case .decimal(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func text(
        _ path: String, _ kind: ConfigurationKind, _ place: Place<String?>, _ reason: String
    ) -> Self {
        Self(path: path, kind: kind, reason: reason, read: { .text($0[keyPath: place]) }) {
            if case .text(let value) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func path(_ path: String, _ place: Place<String>, _ reason: String) -> Self {
        Self(path: path, kind: .path, reason: reason, read: { .text($0[keyPath: place]) }) {
            if case .text(let value?) = $1 { $0[keyPath: place] = value }
        }
    }

    package static func mode(_ path: String, _ place: Place<UInt32>, _ reason: String) -> Self {
        Self(path: path, kind: .fileMode, reason: reason, read: { .fileMode($0[keyPath: place]) }) {
            if case .fileMode(let value) = $1 { $0[keyPath: place] = value }
        }
    }
}
