import Arbiter
import LinuxIO

/// Where a configuration is read from.
public enum ConfigurationSource: Equatable, Sendable {
    /// This file and no other.
    case file(String)
    /// The places of a system, which lies in this directory; the host's if it is empty.
    case system(root: String)

    /// The file, if one is named; else the places of the system in `root`, or of the host.
    public init(file: String?, root: String? = nil) {
        var directory = root ?? ""
        while directory.hasSuffix("/") { directory.removeLast() }
        self = file.map(Self.file) ?? .system(root: directory)
    }
}

/// Reads configuration files. Every mistake in them is reported, not only the first.
public enum ConfigurationFile {
    /// Where an administrator writes.
    public static let defaultPath = "/etc/spschedd/spschedd.toml"

    public static func load(_ source: ConfigurationSource) throws(ConfigurationError) -> LoadedConfiguration {
        var reader = SettingsReader(file: defaultPath)
        var loaded = LoadedConfiguration(DaemonConfiguration())
        loaded.files = try texts(of: source)
        for file in loaded.files {
            reader.file = file.path
            do throws(ConfigurationError) {
                reader.read(try TOMLDocument.parse(file.text, file: file.path), into: &loaded.configuration)
            } catch {
                reader.report(error.problems)
            }
        }
        reader.reportContradictions(of: loaded.configuration)
        try reader.throwProblems()
        loaded.origins = reader.origins
        return loaded
    }

    /// The files of the source, in the order in which they are read, without a look at what they say.
    public static func texts(of source: ConfigurationSource) throws(ConfigurationError) -> [ConfigurationText] {
        switch source {
        case .file(let path):
            return [ConfigurationText(path: path, text: try TOMLDocument.read(path), hidden: [])]
        case .system(let root):
            return try ConfigurationPlaces.files(in: root).map { (file) throws(ConfigurationError) in
                ConfigurationText(path: file.path, text: try TOMLDocument.read(file.path), hidden: file.hidden)
            }
        }
    }

    /// The configuration in the file at `path`; without a path, in the places of this host.
    public static func load(_ path: String?) throws(ConfigurationError) -> DaemonConfiguration {
        try load(ConfigurationSource(file: path)).configuration
    }

    /// `file` is how messages call it.
    public static func parse(_ text: String, file: String) throws(ConfigurationError) -> DaemonConfiguration {
        var reader = SettingsReader(file: file)
        let configuration = reader.configuration(try TOMLDocument.parse(text, file: file))
        try reader.throwProblems()
        return configuration
    }
}

extension SettingsReader {
    /// The daemon's configuration, which these are the sections of.
    package mutating func configuration(_ sections: TOMLSection) -> DaemonConfiguration {
        var configuration = DaemonConfiguration()
        read(sections, into: &configuration)
        reportContradictions(of: configuration)
        return configuration
    }

    /// Sets what the sections say, and leaves the rest.
    mutating func read(_ sections: TOMLSection, into configuration: inout DaemonConfiguration) {
        let keys = SettingKeys(DaemonConfiguration.keys)
        for entry in sections.entries {
            if entry.name == PolicySettings.section {
                readPolicies(entry, into: &configuration)
                continue
            }
            guard keys.sections.contains(entry.name) else {
                note(entry.name, entry.line)
                reportUnknown(entry.name, entry.value, keys)
                continue
            }
            guard case .section(let section) = entry.value else {
                note(entry.name, entry.line)
                report(
                    entry.name, "is a section: write [\(place)\(entry.name)] on a line of its own, and its keys below")
                continue
            }
            set(section, of: &configuration, keys, at: entry.name + ".")
        }
    }
}
