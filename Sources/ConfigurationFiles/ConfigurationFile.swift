import Arbiter
import LinuxIO

/// Reads a configuration file. Every mistake in it is reported, not only the first.
public enum ConfigurationFile {
    public static let defaultPath = "/etc/spschedd/spschedd.toml"

    /// The configuration in the file at `path`. Without a path: the file at `defaultPath` if there is one, else the
    /// defaults.
    public static func load(_ path: String?) throws(ConfigurationError) -> DaemonConfiguration {
        let file = path ?? defaultPath
        if path == nil, (try? FileKind.ofPath(file)) == nil { return DaemonConfiguration() }
        return try parse(try TOMLDocument.read(file), file: file)
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
        let keys = SettingKeys(DaemonConfiguration.keys)
        for entry in sections.entries {
            note(entry.name, entry.line)
            guard keys.sections.contains(entry.name) else {
                reportUnknown(entry.name, entry.value, keys)
                continue
            }
            guard case .section(let section) = entry.value else {
                report(
                    entry.name, "is a section: write [\(place)\(entry.name)] on a line of its own, and its keys below")
                continue
            }
            set(section, of: &configuration, keys, at: entry.name + ".")
        }
        reportContradictions(of: configuration)
        return configuration
    }
}
