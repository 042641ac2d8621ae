/// The documents that are written from the table of keys.
package enum ConfigurationDocuments {
    /// A file with every setting as a comment: where an administrator begins.
    package static var example: String {
        var text = """
            # The configuration of spschedd. Every setting stands here with its default, behind a '#': remove that,
            # and change what follows. spschedd.toml(5) explains how files of several places go together.
            # 'spschedctl config check' checks it; 'systemctl reload spschedd' applies it.

            """
        for section in DaemonConfiguration.sections {
            text += "\n# \(section.reason)\n[\(section.name)]\n"
            for key in keys(of: section.name) {
                text += "\n" + comment(key.reason) + comment("\(capitalised(takes(key))). \(key.effect.sentence)")
                text += "#\(name(key)) = \(defaultText(key))\n"
            }
        }
        return text + policies
    }

    /// Each key of a policy. They stay comments: a policy needs a name, and an empty one is for everybody.
    private static var policies: String {
        var text = "\n" + comment(PolicySettings.reason) + "#     [policy.NAME]\n"
        for key in PolicySettings.keys {
            text += "\n" + comment(key.reason) + comment("\(capitalised(takes(key))). \(key.effect.sentence)")
            text += "#     \(key.path) = \(key.read(PolicySettings(name: "")).toml)\n"
        }
        return text
    }

    static func keys(of section: String) -> [SettingKey<DaemonConfiguration>] {
        DaemonConfiguration.keys.filter { $0.path.hasPrefix(section + ".") }
    }

    /// Without its section.
    static func name(_ key: SettingKey<DaemonConfiguration>) -> Substring { key.path.split(separator: ".")[1] }

    static func defaultText(_ key: SettingKey<DaemonConfiguration>) -> String { key.read(DaemonConfiguration()).toml }

    static func takes<Root>(_ key: SettingKey<Root>) -> String {
        key.kind.bounds + (key.unit.isEmpty ? "" : ", in \(key.unit)")
    }

    static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    private static func comment(_ text: String) -> String {
        wrapped(text, to: 116).map { "# \($0)\n" }.joined()
    }

    /// Lines of whole words.
    static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count + 1 <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
