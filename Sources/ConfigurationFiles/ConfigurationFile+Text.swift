extension DaemonConfiguration {
    /// The whole configuration as a file that `ConfigurationFile` reads, each key with its reason, bounds and default.
    public var toml: String { toml([:]) }

    func toml(_ origins: [String: [ConfigurationOrigin]]) -> String {
        var text = ""
        var section: Substring?
        for key in Self.keys {
            let parts = key.path.split(separator: ".")
            if parts[0] != section {
                text += (section == nil ? "" : "\n") + "[\(parts[0])]\n"
                section = parts[0]
            }
            text += Self.line(key, parts[1], of: self, Self(), origins[key.path] ?? [])
        }
        for policy in policies {
            let section = "\(PolicySettings.section).\(policy.name)"
            text += "\n[\(section)]\n"
            for key in PolicySettings.keys {
                let origins = origins["\(section).\(key.path)"] ?? []
                text += Self.line(key, key.path[...], of: policy, PolicySettings(name: policy.name), origins)
            }
        }
        return text
    }

    private static func line<Root>(
        _ key: SettingKey<Root>, _ name: Substring, of root: Root, _ defaults: Root, _ origins: [ConfigurationOrigin]
    ) -> String {
        var text = "# \(key.reason)\n# \(key.kind.expectation); default \(key.read(defaults).toml)\n"
        if let decisive = origins.last {
            let hidden = origins.dropLast().reversed().map(\.description).joined(separator: ", ")
            text += "# from \(decisive)" + (hidden.isEmpty ? "" : ", in place of \(hidden)") + "\n"
        }
        return text + "\(name) = \(key.read(root).toml)\n"
    }
}
