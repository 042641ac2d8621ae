import ArgumentParser
import ConfigurationFiles
import Glibc
import LinuxIO
import Reporting

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the daemon's configuration, and where each value comes from.",
        discussion: """
            Read are spschedd.toml, and then spschedd.toml.d/*.toml sorted by name, from /etc/spschedd, /run/spschedd \
            and /usr/lib/spschedd. Of files of one name that of /etc counts before that of /run, and that before the \
            one of /usr/lib; an empty file or a link to /dev/null masks those of its name. What is read later \
            prevails. Needs no daemon: what this one goes by since its last reload, 'spschedctl status' tells.
            """,
        subcommands: [
            ConfigCatCommand.self, ConfigCheckCommand.self, ConfigDiffCommand.self, ConfigExampleCommand.self,
            ConfigManualCommand.self,
        ])
}

/// What configuration is looked at.
struct ConfigOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Look at this file and no other.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Look at the system that lies in this directory.", valueName: "directory"))
    var root: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    func validate() throws {
        if config != nil, root != nil { throw ValidationError("--config names one file: it has no --root.") }
    }

    private var source: ConfigurationSource { ConfigurationSource(file: config, root: root) }

    func texts() throws -> [ConfigurationText] {
        try telling { (source) throws(ConfigurationError) in try ConfigurationFile.texts(of: source) }
    }

    func load() throws -> LoadedConfiguration {
        try telling { (source) throws(ConfigurationError) in try ConfigurationFile.load(source) }
    }

    /// As the daemon would: users and groups too. Those of a system in a directory are not this host's.
    func check() throws -> LoadedConfiguration {
        let loaded = try telling { (source) throws(ConfigurationError) in
            let loaded = try ConfigurationFile.load(source)
            if root == nil { try loaded.lookUpNames() }
            return loaded
        }
        if root != nil, loaded.namesAccounts {
            StandardError.print("spschedctl: users and groups were not looked up: they are those of another system")
        }
        return loaded
    }

    /// Mistakes are told as programs or people want them, and end the command as they would the daemon.
    private func telling<Answer>(
        _ body: (ConfigurationSource) throws(ConfigurationError) -> Answer
    ) throws -> Answer {
        do throws(ConfigurationError) { return try body(source) } catch {
            if json {
                StandardOutput.print(JSON.object([("problems", .list(error.problems.map(\.json)))]).text)
            } else {
                StandardError.print(error.description)
            }
            throw ExitCode(EX_CONFIG)
        }
    }
}

struct ConfigCatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print the files in the order in which they are read.")

    @OptionGroup var options: ConfigOptions

    func run() throws {
        let files = try options.texts()
        StandardOutput.print(options.json ? JSON.object([("files", .list(files.map(\.json)))]).text : text(files))
    }

    private func text(_ files: [ConfigurationText]) -> String {
        files.isEmpty ? "# No file is there: the defaults hold." : files.map(text).joined(separator: "\n\n")
    }

    private func text(_ file: ConfigurationText) -> String {
        var lines = ["# \(file.path)"]
        if !file.hidden.isEmpty {
            lines.append("# (\(file.text.isEmpty ? "masks" : "in place of") \(file.hidden.joined(separator: ", ")))")
        }
        var text = file.text
        while text.hasSuffix("\n") { text.removeLast() }
        if !text.isEmpty { lines.append(text) }
        return lines.joined(separator: "\n")
    }
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the files, and print every setting with where its value comes from.",
        discussion: """
            Users and groups that the files name are looked up on this host, as the daemon does it; with --root they \
            are not.

            Exit status: 0, or \(EX_CONFIG) with every mistake on standard error: the daemon would not start with \
            these files, and not take them in a reload.
            """)

    @OptionGroup var options: ConfigOptions

    func run() throws {
        let loaded = try options.check()
        StandardOutput.print(options.json ? loaded.json(loaded.settings).text : String(loaded.toml.dropLast()))
    }
}

struct ConfigDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what differs from the defaults, and where it was written.")

    @OptionGroup var options: ConfigOptions

    func run() throws {
        let loaded = try options.load()
        let changed = loaded.settings.filter { !$0.isDefault }
        StandardOutput.print(options.json ? loaded.json(changed).text : text(changed))
    }

    private func text(_ changed: [EffectiveSetting]) -> String {
        guard !changed.isEmpty else { return "Every setting has its default." }
        var table = Table([.left("SETTING"), .left("VALUE"), .left("DEFAULT"), .left("WRITTEN IN")])
        for setting in changed {
            table.append([
                setting.key, setting.value.toml, setting.defaultValue.toml, setting.origins.last?.description ?? "",
            ])
        }
        return table.text
    }
}

// MARK: - For programs

extension LoadedConfiguration {
    fileprivate func json(_ settings: [EffectiveSetting]) -> JSON {
        .object([("files", .list(files.map { .text($0.path) })), ("settings", .list(settings.map(\.json)))])
    }
}

extension EffectiveSetting {
    fileprivate var json: JSON {
        .object([
            ("key", .text(key)), ("value", value.json), ("default", defaultValue.json),
            ("origins", .list(origins.map { .text("\($0)") })),
        ])
    }
}

extension ConfigurationValue {
    fileprivate var json: JSON {
        if case .integer(let number) = self { .integer(number) } else { .text(text) }
    }
}

extension ConfigurationText {
    fileprivate var json: JSON {
        .object([("path", .text(path)), ("in_place_of", .list(hidden.map { .text($0) })), ("text", .text(text))])
    }
}

extension ConfigurationProblem {
    fileprivate var json: JSON {
        .object([
            ("file", .text(file)), ("line", .optional(line) { .integer(Int64($0)) }),
            ("key", .optional(key) { .text($0) }), ("message", .text(message)),
        ])
    }
}
