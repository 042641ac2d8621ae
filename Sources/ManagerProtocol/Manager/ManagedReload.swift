/// What a reload came to.
public enum ManagedReloadOutcome: Equatable, Sendable {
    case done(ReloadReply)
    /// The files have mistakes: what held before still holds.
    case invalid([ManagedConfigurationProblem])
    /// What they say would lessen what VMs were promised: what held before still holds.
    case refused([ManagedReloadObjection])
}

/// What `Reload` answers.
public struct ReloadReply: Codable, Equatable, Sendable {
    /// The files that were read, the later prevailing.
    public var files: [String]
    public var changes: [ManagedSettingChange]

    public init(files: [String], changes: [ManagedSettingChange]) {
        self.files = files
        self.changes = changes
    }
}

/// A setting whose value is another than before.
public struct ManagedSettingChange: Codable, Equatable, Sendable {
    public var key: String
    public var was: String
    public var now: String
    /// at_once, new_registrations, new_launches, new_connections or restart.
    public var applies: String
    /// File and line; absent where the default holds again.
    public var origin: String?

    public init(key: String, was: String, now: String, applies: String, origin: String?) {
        self.key = key
        self.was = was
        self.now = now
        self.applies = applies
        self.origin = origin
    }
}

extension ManagedSettingChange {
    /// From when on it counts, for people.
    public var since: String {
        switch applies {
        case "at_once": "now"
        case "new_registrations": "VMs that register from now on"
        case "new_launches": "launches that begin from now on"
        case "new_connections": "connections from now on"
        case "restart": "NOT YET: needs a restart"
        default: applies
        }
    }
}

/// One mistake in a configuration.
public struct ManagedConfigurationProblem: Codable, Equatable, Sendable {
    public var file: String
    public var line: Int64?
    public var key: String?
    /// The whole, as a line for people.
    public var text: String

    public init(file: String, line: Int64?, key: String?, text: String) {
        self.file = file
        self.line = line
        self.key = key
        self.text = text
    }
}

/// One promise that a configuration would lessen, and the settings that are to blame.
public struct ManagedReloadObjection: Codable, Equatable, Sendable {
    public var keys: [String]
    public var text: String

    public init(keys: [String], text: String) {
        self.keys = keys
        self.text = text
    }
}

/// What `Status` says of the configuration.
public struct ManagedConfiguration: Codable, Equatable, Sendable {
    /// The files that it was read from.
    public var files: [String]
    /// Reloads since the start that were applied.
    public var reloads: Int64
    /// Why the last reload was not, if it was not.
    public var failure: String?
    /// Settings that the files give another value than holds, which a restart applies.
    public var restartNeeded: [String]

    public init(files: [String] = [], reloads: Int64 = 0, failure: String? = nil, restartNeeded: [String] = []) {
        self.files = files
        self.reloads = reloads
        self.failure = failure
        self.restartNeeded = restartNeeded
    }

    enum CodingKeys: String, CodingKey {
        case files, reloads, failure
        case restartNeeded = "restart_needed"
    }
}

extension ManagedReloadOutcome {
    /// As the error that a call is answered with; `nil` if it is none.
    var varlinkError: (name: String, parameters: [String: JSONValue])? {
        switch self {
        case .done: nil
        case .invalid(let problems):
            (
                ManagerInterface.configurationInvalidError,
                [
                    "problems": .array(problems.map(\.json)),
                    "text": .string(problems.map(\.text).joined(separator: "\n")),
                ]
            )
        case .refused(let objections):
            (
                ManagerInterface.reloadRefusedError,
                [
                    "objections": .array(objections.map(\.json)),
                    "text": .string(objections.map(\.text).joined(separator: "\n")),
                ]
            )
        }
    }
}

extension ManagedConfigurationProblem {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["file": .string(file), "text": .string(text)]
        members["line"] = line.map { .integer($0) }
        members["key"] = key.map { .string($0) }
        return .object(members)
    }
}

extension ManagedReloadObjection {
    fileprivate var json: JSONValue {
        .object(["keys": .array(keys.map { .string($0) }), "text": .string(text)])
    }
}
