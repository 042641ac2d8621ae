extension DaemonConfiguration {
    /// The whole configuration as a file that `ConfigurationFile` reads, each key with its reason, bounds and default.
    public var toml: String {
        var text = ""
        var section: String?
        for key in ConfigurationKey.all {
            if key.section != section {
                text += (section == nil ? "" : "\n") + "[\(key.section)]\n"
                section = key.section
            }
            text += "# \(key.reason)\n# \(key.kind.expectation); default \(key.defaultValue.toml)\n"
            text += "\(key.name) = \(key.read(self).toml)\n"
        }
        return text
    }
}
