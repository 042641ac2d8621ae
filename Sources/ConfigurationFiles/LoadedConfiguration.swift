/// A configuration with what it was read from.
public struct LoadedConfiguration: Sendable {
    public var configuration: DaemonConfiguration
    /// In the order in which they were read; later ones prevail.
    public var files: [ConfigurationText]
    /// Where each key was written, the decisive place last.
    public var origins: [String: [ConfigurationOrigin]]

    public init(
        _ configuration: DaemonConfiguration, files: [ConfigurationText] = [],
        origins: [String: [ConfigurationOrigin]] = [:]
    ) {
        self.configuration = configuration
        self.files = files
        self.origins = origins
    }
}

/// One file of a configuration.
public struct ConfigurationText: Equatable, Sendable {
    public let path: String
    /// Empty: it masks those of its name.
    public let text: String
    /// Files of lower places, which do not count.
    public let hidden: [String]
}

/// One setting as it holds.
public struct EffectiveSetting: Equatable, Sendable {
    public let key: String
    package let value: ConfigurationValue
    package let defaultValue: ConfigurationValue
    /// Empty: written nowhere, the default holds.
    public let origins: [ConfigurationOrigin]

    public var isDefault: Bool { value == defaultValue }
}

extension LoadedConfiguration {
    /// Every setting, in the order of the table.
    public var settings: [EffectiveSetting] {
        DaemonConfiguration.keys.map { key in
            EffectiveSetting(
                key: key.path, value: key.read(configuration), defaultValue: key.read(DaemonConfiguration()),
                origins: origins[key.path] ?? [])
        } + configuration.policies.flatMap(settings)
    }

    private func settings(of policy: PolicySettings) -> [EffectiveSetting] {
        PolicySettings.keys.map { key in
            let path = "\(PolicySettings.section).\(policy.name).\(key.path)"
            return EffectiveSetting(
                key: path, value: key.read(policy), defaultValue: key.read(PolicySettings(name: policy.name)),
                origins: origins[path] ?? [])
        }
    }

    /// The whole configuration as a file, each key with its reason, bounds, default, and where it was written.
    public var toml: String { configuration.toml(origins) }
}
