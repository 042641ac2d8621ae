import ConfigurationFiles

/// Where the daemon's configuration comes from: files, and what its command line says instead of them.
struct ConfigurationOptions: Sendable {
    var source: ConfigurationSource
    var device: String?
    var deviceSocket: String?
    var socket: String?
    var managerSocket: String?
    var traceFile: String?

    func load() throws(ConfigurationError) -> LoadedConfiguration {
        var loaded = try ConfigurationFile.load(source)
        override(&loaded.configuration)
        return loaded
    }

    private func override(_ configuration: inout DaemonConfiguration) {
        configuration.device.path = device ?? configuration.device.path
        configuration.device.probeSocket = deviceSocket ?? configuration.device.probeSocket
        configuration.vmm.path = socket ?? configuration.vmm.path
        configuration.manager.path = managerSocket ?? configuration.manager.path
        configuration.trace.file = traceFile ?? configuration.trace.file
    }
}
