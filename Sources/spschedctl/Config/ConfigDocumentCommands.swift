import ArgumentParser
import ConfigurationFiles
import LinuxIO

/// A file to begin with.
struct ConfigExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example", abstract: "Print a file with every setting and its default as comments.")

    func run() { StandardOutput.print(String(ConfigurationDocuments.example.dropLast())) }
}

/// For `make documents`.
struct ConfigManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print spschedd.toml(5), in mdoc(7).", shouldDisplay: false)

    func run() { StandardOutput.print(String(ConfigurationDocuments.manual.dropLast())) }
}
