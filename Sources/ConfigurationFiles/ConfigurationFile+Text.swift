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
            text += "# \(key.reason)\n# \(key.kind.expectation); default \(key.read(Self()).toml)\n"
            if let origins = origins[key.path], let decisive = origins.last {
                let hidden = origins.dropLast().reversed().map(\.description).joined(separator: ", ")
                text += "# from \(decisive)" + (hidden.isEmpty ? "" : ", in place of \(hidden)") + "\n"
            }
            text += "\(parts[1]) = \(key.read(self).toml)\n"
        }
        return text
    }
}
