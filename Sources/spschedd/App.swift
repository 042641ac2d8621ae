import Arbiter
import ArgumentParser
import ConfigurationFiles
import Glibc
import LinuxIO

@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedd",
        abstract: "Schedules the AMD Secure Processor among the VMs of this host.",
        discussion: """
            VMMs register at its socket and ask for a turn before each command that reaches the Secure Processor. \
            Without any option it serves /dev/sev with the configuration in \(ConfigurationFile.defaultPath) and \
            beside it, if there is one: see spschedd.toml(5).
            """,
        version: PackageVersion.current)

    @Option(help: "Configuration file (TOML), and no other. Without it: spschedd.toml and its drop-ins.")
    var config: String?

    @Option(help: "Read spschedd.toml and its drop-ins of the system that lies in this directory.")
    var root: String?

    @Option(help: "The device, or the socket of an emulated one. Overrides device.path.")
    var device: String?

    @Option(help: "Where spschedd-device listens. Overrides device.probe_socket.")
    var deviceSocket: String?

    @Option(help: "Where VMMs connect. Overrides vmm.socket.")
    var socket: String?

    @Option(help: "Where operators connect. Overrides manager.socket.")
    var managerSocket: String?

    @Option(
        name: .customLong("trace"),
        help: "Record every decision in this file, for spschedctl replay. Overrides trace.file; off by default.")
    var traceFile: String?

    @Flag(help: "Check the configuration, print it in full with every default, and exit.")
    var checkConfig = false

    @Flag(help: "Print what this build can do, as JSON, and exit.")
    var capabilities = false

    @Flag(help: "Exit with 0 if this host can have anything to schedule; else say why not, and exit with 1.")
    var checkHost = false

    static func main() {
        StandardStreams.secure()
        main(nil)
    }

    func validate() throws {
        if config != nil, root != nil { throw ValidationError("--config names one file: it has no --root.") }
    }

    func run() throws {
        if checkHost { return try lookAtHost() }
        let options = ConfigurationOptions(
            source: ConfigurationSource(file: config, root: root), device: device, deviceSocket: deviceSocket,
            socket: socket, managerSocket: managerSocket, traceFile: traceFile)
        let loaded = try load(options)
        // Users and groups of a system in a directory are not this host's.
        if root == nil || !checkConfig { try lookUpNames(loaded) }
        let configuration = loaded.configuration
        if checkConfig { return StandardOutput.print(loaded.toml, terminator: "") }
        if capabilities { return StandardOutput.print(Capabilities(configuration).json) }
        SystemdEvents.blockSignals()
        do {
            try serve(loaded, options)
        } catch {
            // Starting it again cannot help where the configuration names what there is not.
            try fail("\(error)", error is UnknownGroup || error is UnknownMember ? EX_CONFIG : EX_UNAVAILABLE)
        }
    }

    /// Mistakes in the configuration are the daemon's own to tell: they must not look like a host without a device.
    private func lookAtHost() throws {
        let loaded = try? ConfigurationFile.load(ConfigurationSource(file: config, root: root))
        let configured = (loaded?.configuration ?? DaemonConfiguration()).device.path
        let check = HostCheck.look(at: device ?? configured)
        guard case .nothingToSchedule(let reason) = check else { return }
        LogOutput.fromEnvironment().writeLast(
            LogRecord(.notNeeded, .notice, "Not started: \(reason)", [LogField(.reason, reason)]))
        throw ExitCode.failure
    }

    private func load(_ options: ConfigurationOptions) throws -> LoadedConfiguration {
        do throws(ConfigurationError) { return try options.load() } catch {
            try fail("\(error)", EX_CONFIG)
        }
    }

    private func lookUpNames(_ loaded: LoadedConfiguration) throws {
        do throws(ConfigurationError) { try loaded.lookUpNames() } catch {
            try fail("\(error)", EX_CONFIG)
        }
    }

    private func serve(_ loaded: LoadedConfiguration, _ options: ConfigurationOptions) throws {
        let inherited = try InheritedDescriptors.take()
        let listeners = try ListeningSockets.open(loaded.configuration, inherited)
        let logger = try Logger()
        let daemon = try Daemon(
            configuration: loaded.configuration, listeners: listeners, logger: logger, notifier: try Notifier(),
            stored: inherited.stored)
        try daemon.reads(options, files: loaded.files.map(\.path))
        try daemon.run()
    }

    /// Says what went wrong, in the journal's way if that is where standard error goes, and ends the process.
    private func fail(_ message: String, _ status: Int32) throws -> Never {
        let event: LogEvent = status == EX_CONFIG ? .configurationInvalid : .startFailed
        for line in message.split(separator: "\n") {
            LogOutput.fromEnvironment().writeLast(LogRecord(event, .error, String(line)))
        }
        throw ExitCode(status)
    }
}
