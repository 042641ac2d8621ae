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
        let loaded = try load()
        let configuration = loaded.configuration
        if checkConfig { return StandardOutput.print(loaded.toml, terminator: "") }
        if capabilities { return StandardOutput.print(Capabilities(configuration).json) }
        SystemdEvents.blockSignals()
        do {
            try serve(configuration)
        } catch {
            // Starting it again cannot help where the configuration names what there is not.
            try fail("\(error)", error is UnknownGroup ? EX_CONFIG : EX_UNAVAILABLE)
        }
    }

    /// Mistakes in the configuration are the daemon's own to tell: they must not look like a host without a device.
    private func lookAtHost() throws {
        let configured = (try? ConfigurationFile.load(ConfigurationSource(file: config, root: root)))?.configuration.device.path
        let check = HostCheck.look(at: device ?? configured ?? DaemonConfiguration().device.path)
        guard case .nothingToSchedule(let reason) = check else { return }
        LogOutput.fromEnvironment().write(
            LogRecord(.notNeeded, .notice, "Not started: \(reason)", [LogField(.reason, reason)]))
        throw ExitCode.failure
    }

    private func load() throws -> LoadedConfiguration {
        do throws(ConfigurationError) {
            var loaded = try ConfigurationFile.load(ConfigurationSource(file: config, root: root))
            applyOptions(to: &loaded.configuration)
            return loaded
        } catch {
            try fail("\(error)", EX_CONFIG)
        }
    }

    /// What the command line says prevails over every file.
    private func applyOptions(to configuration: inout DaemonConfiguration) {
        configuration.device.path = device ?? configuration.device.path
        configuration.device.probeSocket = deviceSocket ?? configuration.device.probeSocket
        configuration.vmm.path = socket ?? configuration.vmm.path
        configuration.manager.path = managerSocket ?? configuration.manager.path
        configuration.trace.file = traceFile ?? configuration.trace.file
    }

    private func serve(_ configuration: DaemonConfiguration) throws {
        let inherited = try InheritedDescriptors.take()
        let listeners = try ListeningSockets.open(configuration, inherited)
        let logger = try Logger()
        let daemon = try Daemon(
            configuration: configuration, listeners: listeners, logger: logger, notifier: try Notifier(),
            stored: inherited.stored)
        try daemon.run()
    }

    /// Says what went wrong, in the journal's way if that is where standard error goes, and ends the process.
    private func fail(_ message: String, _ status: Int32) throws -> Never {
        let event: LogEvent = status == EX_CONFIG ? .configurationInvalid : .startFailed
        for line in message.split(separator: "\n") {
            LogOutput.fromEnvironment().write(LogRecord(event, .error, String(line)))
        }
        throw ExitCode(status)
    }
}
